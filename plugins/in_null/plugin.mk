# in_null: records out of nothing, for measuring.
pluginexec_LTLIBRARIES += in_null.la
in_null_la_SOURCES = in_null/in_null.c in_null/stamp.h
in_null_la_CFLAGS = $(AM_CFLAGS)
in_null_la_LIBADD = $(PLUGIN_LIBS)

check_PROGRAMS += test_in_null
test_in_null_SOURCES = in_null/test_in_null.c in_null/stamp.h
test_in_null_LDADD = $(TEST_LIBS)
