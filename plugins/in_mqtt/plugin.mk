# in_mqtt: messages of a broker of MQTT, over Paho's asynchronous client with TLS (paho-mqtt3as).
# Needs PAHO_LIBS. What is shared with out_mqtt (mqtt_link) stands in its plugin.mk.
in_mqtt_parts = net/thread.h in_mqtt/client.c in_mqtt/client.h in_mqtt/client_inside.h in_mqtt/in_mqtt.c in_mqtt/known.c \
	in_mqtt/known.h in_mqtt/names.c in_mqtt/names.h in_mqtt/paho.c in_mqtt/sockets.c in_mqtt/sockets.h

# A callback of Paho's may have to wait for good (client.h): its code is never unloaded.
if HAVE_PAHO
pluginexec_LTLIBRARIES += in_mqtt.la
in_mqtt_la_SOURCES = $(in_mqtt_parts) mqtt/link.c mqtt/link.h mqtt/reason.c mqtt/reason.h
in_mqtt_la_CFLAGS = $(AM_CFLAGS) $(PAHO_CFLAGS)
in_mqtt_la_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,nodelete
in_mqtt_la_LIBADD = $(PLUGIN_LIBS) $(PAHO_LIBS)

check_PROGRAMS += test_in_mqtt
test_in_mqtt_SOURCES = in_mqtt/test_in_mqtt.c mqtt/testing.h in_mqtt/known.c in_mqtt/known.h in_mqtt/names.c in_mqtt/names.h \
	in_mqtt/sockets.c in_mqtt/sockets.h mqtt/link.c mqtt/link.h mqtt/reason.c mqtt/reason.h
test_in_mqtt_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_mqtt_LDADD = $(TEST_LIBS)
endif
EXTRA_DIST += $(in_mqtt_parts) in_mqtt/test_in_mqtt.c
