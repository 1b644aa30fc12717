# op_news2: the National Early Warning Score 2. test_op_news2_icu runs op_latest too.
pluginexec_LTLIBRARIES += op_news2.la
op_news2_la_SOURCES = \
	op_news2/fields.c \
	op_news2/fields.h \
	op_news2/op_news2.c \
	op_news2/score.c \
	op_news2/score.h \
	op_news2/shape.c \
	op_news2/table.c \
	op_news2/table.h
op_news2_la_CFLAGS = $(AM_CFLAGS)
op_news2_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_news2 test_op_news2_icu test_op_news2_shape
test_op_news2_SOURCES = op_news2/test_op_news2.c op_news2/test_kit.h
test_op_news2_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_news2_LDADD = $(TEST_LIBS)
test_op_news2_icu_SOURCES = op_news2/test_icu.c
test_op_news2_icu_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_news2_icu_LDADD = $(TEST_LIBS)
test_op_news2_shape_SOURCES = op_news2/test_shape.c op_news2/test_kit.h
test_op_news2_shape_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_news2_shape_LDADD = $(TEST_LIBS)
