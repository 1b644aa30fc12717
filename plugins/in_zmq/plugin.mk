# in_zmq: records of other Afferents. Needs libzmq (ZMQ_LIBS), lz4 (LZ4_LIBS) and xxhash
# (XXHASH_LIBS). What is shared with out_zmq (zmq_link/) stands in its plugin.mk.
pluginexec_LTLIBRARIES += in_zmq.la
in_zmq_la_SOURCES = in_zmq/in_zmq.c in_zmq/config.h in_zmq/door.c in_zmq/door.h in_zmq/intake.c in_zmq/intake.h \
	in_zmq/peers.c in_zmq/peers.h in_zmq/window.c in_zmq/window.h net/thread.h $(zmq_link_core)
in_zmq_la_CFLAGS = $(zmq_link_cflags)
in_zmq_la_LIBADD = $(PLUGIN_LIBS) $(zmq_link_libs)

check_PROGRAMS += test_in_zmq test_in_zmq_window
test_in_zmq_SOURCES = in_zmq/test_in_zmq.c zmq_link/testing.h $(zmq_link_core)
test_in_zmq_CFLAGS = $(zmq_link_cflags) $(CMOCKA_CFLAGS)
test_in_zmq_LDADD = $(TEST_LIBS) $(zmq_link_libs)
test_in_zmq_window_SOURCES = in_zmq/test_window.c in_zmq/window.c in_zmq/window.h
test_in_zmq_window_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_zmq_window_LDADD = $(TEST_LIBS)
