# out_mqtt: records to a broker of MQTT, over libmosquitto. Needs MOSQUITTO_LIBS.
mqtt_link = mqtt/link.c mqtt/link.h mqtt/reason.c mqtt/reason.h
out_mqtt_parts = net/pace.h net/thread.h net/uplink.h net/wire.h out_mqtt/out_mqtt.c out_mqtt/session.c out_mqtt/talker.c out_mqtt/talker.h out_mqtt/talker_inside.h \
	out_mqtt/topic.c out_mqtt/topic.h
out_mqtt_text = text/rows.c text/rows.h text/text.c text/text.h calendar/calendar.h

check_PROGRAMS += test_mqtt
test_mqtt_SOURCES = mqtt/test_mqtt.c $(mqtt_link)
test_mqtt_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_mqtt_LDADD = $(TEST_LIBS)

if HAVE_MOSQUITTO
pluginexec_LTLIBRARIES += out_mqtt.la
out_mqtt_la_SOURCES = $(out_mqtt_parts) $(out_mqtt_text) $(mqtt_link)
out_mqtt_la_CFLAGS = $(AM_CFLAGS) $(MOSQUITTO_CFLAGS)
out_mqtt_la_LIBADD = $(PLUGIN_LIBS) $(MOSQUITTO_LIBS) -lm

check_PROGRAMS += test_out_mqtt
test_out_mqtt_SOURCES = out_mqtt/test_out_mqtt.c mqtt/testing.h out_mqtt/topic.c out_mqtt/topic.h $(mqtt_link)
test_out_mqtt_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_mqtt_LDADD = $(TEST_LIBS)
endif
EXTRA_DIST += $(out_mqtt_parts) $(mqtt_link) mqtt/testing.h out_mqtt/test_out_mqtt.c
