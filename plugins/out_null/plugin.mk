# out_null: takes everything, for measuring.
pluginexec_LTLIBRARIES += out_null.la
out_null_la_SOURCES = out_null/out_null.c out_null/stamp.h
out_null_la_CFLAGS = $(AM_CFLAGS)
out_null_la_LIBADD = $(PLUGIN_LIBS)

check_PROGRAMS += test_out_null
test_out_null_SOURCES = out_null/test_out_null.c out_null/stamp.h
test_out_null_LDADD = $(TEST_LIBS)
