# out_zmq: records to another Afferent. Needs libzmq, lz4, xxhash. What is shared with in_zmq
# (zmq_link) stands here, with its test and its fuzz target.
zmq_link_format = zmq_link/batch.c zmq_link/batch.h zmq_link/link.c zmq_link/link.h zmq_link/schema.c zmq_link/schema.h
zmq_link_core = $(zmq_link_format) zmq_link/keys.c zmq_link/keys.h
zmq_link_cflags = $(AM_CFLAGS) $(ZMQ_CFLAGS) $(LZ4_CFLAGS) $(XXHASH_CFLAGS)
zmq_link_libs = $(ZMQ_LIBS) $(LZ4_LIBS) $(XXHASH_LIBS) -lpthread

pluginexec_LTLIBRARIES += out_zmq.la
out_zmq_la_SOURCES = out_zmq/out_zmq.c out_zmq/config.h out_zmq/session.c out_zmq/talker.c out_zmq/talker.h \
	out_zmq/talker_inside.h net/pace.h net/thread.h net/uplink.h net/wire.h $(zmq_link_core)
out_zmq_la_CFLAGS = $(zmq_link_cflags)
out_zmq_la_LIBADD = $(PLUGIN_LIBS) $(zmq_link_libs)

check_PROGRAMS += test_net_pace test_out_zmq test_zmq_link
test_net_pace_SOURCES = net/test_pace.c net/pace.h
test_net_pace_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_net_pace_LDADD = $(TEST_LIBS)
test_out_zmq_SOURCES = out_zmq/test_out_zmq.c net/wire.h zmq_link/testing.h $(zmq_link_core)
test_out_zmq_CFLAGS = $(zmq_link_cflags) $(CMOCKA_CFLAGS)
test_out_zmq_LDADD = $(TEST_LIBS) $(zmq_link_libs)
test_zmq_link_SOURCES = zmq_link/test_link.c zmq_link/testing.h $(zmq_link_core)
test_zmq_link_CFLAGS = $(zmq_link_cflags) $(CMOCKA_CFLAGS)
test_zmq_link_LDADD = $(TEST_LIBS) $(zmq_link_libs)

# Seeds: a batch, a packed one, a schema, a greeting.
fuzz_targets += fuzz_zmq_link
fuzz_zmq_link_SOURCES = zmq_link/fuzz_link.c $(zmq_link_format)
fuzz_zmq_link_CFLAGS = $(zmq_link_cflags)
fuzz_zmq_link_LDADD = $(LDADD) $(zmq_link_libs)
EXTRA_DIST += zmq_link/seeds/fuzz_zmq_link/batch zmq_link/seeds/fuzz_zmq_link/packed \
	zmq_link/seeds/fuzz_zmq_link/schema zmq_link/seeds/fuzz_zmq_link/hello
