# op_csv: CSV into rows of columns; and rows/, which op_json is made of as well.
op_csv_flags = $(AM_CPPFLAGS) -I$(srcdir)
rows_text = rows/number.c rows/number.h rows/pattern.c rows/utf8.c rows/utf8.h rows/when.c rows/when.h \
	rows/when_inside.h calendar/calendar.h
rows_core = rows/cells.c rows/check.c rows/feed.c rows/feed.h rows/options.h rows/route.c rows/route.h rows/rows.c \
	rows/rows.h $(rows_text)
rows_split = rows/scan.h rows/split.c rows/split.h
op_csv_core = op_csv/head.c op_csv/reader.c op_csv/reader.h $(rows_split) $(rows_core)

pluginexec_LTLIBRARIES += op_csv.la
op_csv_la_SOURCES = op_csv/op_csv.c $(op_csv_core)
op_csv_la_CPPFLAGS = $(op_csv_flags)
op_csv_la_CFLAGS = $(AM_CFLAGS)
op_csv_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_calendar test_rows_number test_rows_when test_op_csv_split test_op_csv
test_calendar_SOURCES = calendar/test_calendar.c calendar/calendar.h
test_calendar_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_calendar_LDADD = $(TEST_LIBS)
test_rows_number_SOURCES = rows/test_number.c $(rows_text)
test_rows_number_CPPFLAGS = $(op_csv_flags)
test_rows_number_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_rows_number_LDADD = $(TEST_LIBS)
test_rows_when_SOURCES = rows/test_when.c $(rows_text)
test_rows_when_CPPFLAGS = $(op_csv_flags)
test_rows_when_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_rows_when_LDADD = $(TEST_LIBS)
test_op_csv_split_SOURCES = op_csv/test_split.c $(rows_split)
test_op_csv_split_CPPFLAGS = $(op_csv_flags)
test_op_csv_split_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_csv_split_LDADD = $(TEST_LIBS)
test_op_csv_SOURCES = op_csv/test_op_csv.c rows/testing.h
test_op_csv_CPPFLAGS = $(op_csv_flags)
test_op_csv_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_csv_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_op_csv fuzz_rows_text
fuzz_op_csv_SOURCES = op_csv/fuzz_csv.c op_csv/op_csv.c rows/fuzz_run.h rows/mini_host.h $(op_csv_core)
fuzz_op_csv_CPPFLAGS = $(op_csv_flags)
fuzz_rows_text_SOURCES = op_csv/fuzz_text.c $(rows_text)
fuzz_rows_text_CPPFLAGS = $(op_csv_flags)

EXTRA_DIST += op_csv/bench_rows.c op_csv/rows_by_python.py op_csv/seeds/fuzz_op_csv/declared \
	op_csv/seeds/fuzz_op_csv/open op_csv/seeds/fuzz_rows_text/iso op_csv/seeds/fuzz_rows_text/number \
	op_csv/seeds/fuzz_rows_text/pattern
