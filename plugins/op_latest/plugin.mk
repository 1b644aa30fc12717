# op_latest: the last value of each column, joined by subject.
pluginexec_LTLIBRARIES += op_latest.la
op_latest_la_SOURCES = \
	op_latest/columns.c \
	op_latest/columns.h \
	op_latest/op_latest.c \
	op_latest/reading.c \
	op_latest/reading.h \
	op_latest/shape.c \
	op_latest/store.c \
	op_latest/store.h \
	alert_rows/clocks.c \
	alert_rows/clocks.h
op_latest_la_CFLAGS = $(AM_CFLAGS)
op_latest_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_latest test_op_latest_clocks test_op_latest_interval test_op_latest_shape
test_op_latest_clocks_SOURCES = op_latest/test_clocks.c op_latest/test_kit.h
test_op_latest_clocks_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_latest_clocks_LDADD = $(TEST_LIBS)
test_op_latest_SOURCES = op_latest/test_op_latest.c op_latest/test_kit.h
test_op_latest_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_latest_LDADD = $(TEST_LIBS)
test_op_latest_interval_SOURCES = op_latest/test_interval.c op_latest/test_kit.h
test_op_latest_interval_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_latest_interval_LDADD = $(TEST_LIBS)
test_op_latest_shape_SOURCES = op_latest/test_shape.c op_latest/test_kit.h
test_op_latest_shape_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_latest_shape_LDADD = $(TEST_LIBS)
