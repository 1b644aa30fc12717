# op_parse: frames of devices into rows of columns; and rows/, see op_csv/plugin.mk,
# which comes before.
op_parse_core = op_parse/binary.c op_parse/check.c op_parse/fields.c op_parse/map.c op_parse/match.c \
	op_parse/op_parse.c op_parse/options.h op_parse/parse.h op_parse/value.c $(rows_split) $(rows_core)

pluginexec_LTLIBRARIES += op_parse.la
op_parse_la_SOURCES = $(op_parse_core)
op_parse_la_CFLAGS = $(AM_CFLAGS)
op_parse_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_parse test_op_parse_map test_op_parse_random
test_op_parse_SOURCES = op_parse/test_op_parse.c rows/testing.h
test_op_parse_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_parse_LDADD = $(TEST_LIBS)
test_op_parse_map_SOURCES = op_parse/test_map.c rows/testing.h
test_op_parse_map_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_parse_map_LDADD = $(TEST_LIBS)
test_op_parse_random_SOURCES = op_parse/test_random.c rows/testing.h
test_op_parse_random_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_parse_random_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_op_parse
fuzz_op_parse_SOURCES = op_parse/fuzz_parse.c rows/fuzz_run.h rows/mini_host.h $(op_parse_core)

EXTRA_DIST += op_parse/seeds/fuzz_op_parse/any op_parse/seeds/fuzz_op_parse/binary op_parse/seeds/fuzz_op_parse/fixed op_parse/seeds/fuzz_op_parse/key \
	op_parse/seeds/fuzz_op_parse/pairs
