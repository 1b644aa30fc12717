# out_file: CSV and JSON lines. Needs nothing but libm.
pluginexec_LTLIBRARIES += out_file.la
out_file_la_SOURCES = out_file/out_file.c out_file/file.c out_file/file.h out_file/paths.c out_file/paths.h \
	text/rows.c text/rows.h text/text.c text/text.h calendar/calendar.h
out_file_la_CFLAGS = $(AM_CFLAGS)
out_file_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_out_file test_out_file_text
test_out_file_SOURCES = out_file/test_out_file.c
test_out_file_LDADD = $(TEST_LIBS)
test_out_file_text_SOURCES = out_file/test_text.c out_file/file.c out_file/file.h out_file/paths.c out_file/paths.h \
	text/text.c text/text.h calendar/calendar.h
test_out_file_text_LDADD = $(TEST_LIBS)
