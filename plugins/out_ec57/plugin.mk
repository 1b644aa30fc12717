# out_ec57: beat-by-beat comparison after ANSI/AAMI EC57.
pluginexec_LTLIBRARIES += out_ec57.la
out_ec57_core = out_ec57/compare.c out_ec57/compare.h out_ec57/report.c out_ec57/report.h
out_ec57_la_SOURCES = out_ec57/out_ec57.c $(out_ec57_core)
out_ec57_la_CFLAGS = $(AM_CFLAGS)
out_ec57_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_out_ec57_compare test_out_ec57
test_out_ec57_compare_SOURCES = out_ec57/test_compare.c $(out_ec57_core)
test_out_ec57_compare_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_ec57_compare_LDADD = $(TEST_LIBS)
test_out_ec57_SOURCES = out_ec57/test_out_ec57.c
test_out_ec57_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_ec57_LDADD = $(TEST_LIBS)
