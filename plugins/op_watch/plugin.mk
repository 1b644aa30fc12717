# op_watch: care for devices; and alert_rows/, see op_alert/plugin.mk, which comes before.
op_watch_core = op_watch/judge.c op_watch/judge.h op_watch/lookup.c op_watch/op_watch.c op_watch/process.c \
	op_watch/rules.c op_watch/rules.h op_watch/shape.c op_watch/tell.c op_watch/values.c op_watch/watch.h \
	$(alert_rows)

pluginexec_LTLIBRARIES += op_watch.la
op_watch_la_SOURCES = $(op_watch_core)
op_watch_la_CFLAGS = $(AM_CFLAGS)
op_watch_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_watch test_op_watch_rules test_op_watch_story
test_op_watch_SOURCES = op_watch/test_op_watch.c op_watch/testing.h
test_op_watch_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_watch_LDADD = $(TEST_LIBS)
test_op_watch_rules_SOURCES = op_watch/test_rules.c op_watch/testing.h
test_op_watch_rules_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_watch_rules_LDADD = $(TEST_LIBS)
test_op_watch_story_SOURCES = op_watch/test_story.c op_watch/testing.h
test_op_watch_story_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_watch_story_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_op_watch
fuzz_op_watch_SOURCES = op_watch/fuzz_watch.c rows/mini_host.h $(op_watch_core)

EXTRA_DIST += op_watch/seeds/fuzz_op_watch/events op_watch/seeds/fuzz_op_watch/mixed
