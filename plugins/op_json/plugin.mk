# op_json: JSON into rows of columns. Needs simdjson; without it, left out.
# The C++ file stands in each target's own sources: a convenience library of a C
# target would lose libstdc++.
if HAVE_SIMDJSON
op_json_flags = $(AM_CPPFLAGS) -I$(srcdir)
op_json_core = json/grammar.h json/json.cc json/json.h op_json/path.c op_json/path.h op_json/reader.c \
	op_json/reader.h op_json/shape.c op_json/shape.h $(rows_core)

pluginexec_LTLIBRARIES += op_json.la
op_json_la_SOURCES = op_json/op_json.c $(op_json_core)
op_json_la_CPPFLAGS = $(op_json_flags)
op_json_la_CFLAGS = $(AM_CFLAGS)
op_json_la_CXXFLAGS = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
op_json_la_LIBADD = $(PLUGIN_LIBS) $(SIMDJSON_LIBS) -lm

check_PROGRAMS += test_op_json
test_op_json_SOURCES = op_json/test_op_json.c rows/testing.h
test_op_json_CPPFLAGS = $(op_json_flags)
test_op_json_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_json_LDADD = $(TEST_LIBS)

check_PROGRAMS += test_json_reader
test_json_reader_SOURCES = json/test_json.c json/grammar.h json/json.cc json/json.h
test_json_reader_CPPFLAGS = $(op_json_flags)
test_json_reader_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_json_reader_CXXFLAGS = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
test_json_reader_LDADD = $(TEST_LIBS) $(SIMDJSON_LIBS)

fuzz_targets += fuzz_op_json
fuzz_op_json_SOURCES = op_json/fuzz_json.c op_json/op_json.c rows/fuzz_run.h rows/mini_host.h $(op_json_core)
fuzz_op_json_CPPFLAGS = $(op_json_flags)
fuzz_op_json_CXXFLAGS = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
fuzz_op_json_LDADD = $(LDADD) $(SIMDJSON_LIBS)
endif

EXTRA_DIST += op_json/bench_simdjson.cc op_json/seeds/fuzz_op_json/declared op_json/seeds/fuzz_op_json/lines \
	op_json/seeds/fuzz_op_json/root
