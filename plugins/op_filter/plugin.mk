# op_filter: Butterworth and notch filters over samples.
pluginexec_LTLIBRARIES += op_filter.la
op_filter_core = op_filter/design.c op_filter/design.h op_filter/run.c op_filter/run.h
op_filter_la_SOURCES = op_filter/op_filter.c $(op_filter_core)
op_filter_la_CFLAGS = $(AM_CFLAGS)
op_filter_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_filter_core test_op_filter
test_op_filter_core_SOURCES = op_filter/test_core.c op_filter/reference.h $(op_filter_core)
test_op_filter_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_filter_core_LDADD = $(CMOCKA_LIBS) -lm
test_op_filter_SOURCES = op_filter/test_op_filter.c
test_op_filter_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_filter_LDADD = $(TEST_LIBS)

EXTRA_DIST += op_filter/reference.py
