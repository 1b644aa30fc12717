# op_score: linear and logistic models over rows. Needs simdjson, libsodium.
if HAVE_SIMDJSON
op_score_libs = $(SIMDJSON_LIBS) $(SODIUM_LIBS)
op_score_cflags = $(AM_CFLAGS) $(SODIUM_CFLAGS)
op_score_cxxflags = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
op_score_model = op_score/model.h op_score/model_json.cc op_score/model_file.c op_score/score.c \
	op_score/score.h

pluginexec_LTLIBRARIES += op_score.la
op_score_la_SOURCES = op_score/op_score.c op_score/match.c op_score/match.h op_score/shape.c \
	op_score/shape.h $(op_score_model)
op_score_la_CFLAGS = $(op_score_cflags)
op_score_la_CXXFLAGS = $(op_score_cxxflags)
op_score_la_LIBADD = $(PLUGIN_LIBS) $(op_score_libs) -lm

check_PROGRAMS += test_op_score_model test_op_score_shape test_op_score
test_op_score_model_SOURCES = op_score/test_model.c $(op_score_model)
test_op_score_model_CFLAGS = $(op_score_cflags) $(CMOCKA_CFLAGS)
test_op_score_model_CXXFLAGS = $(op_score_cxxflags)
test_op_score_model_LDADD = $(TEST_LIBS) $(op_score_libs)
test_op_score_shape_SOURCES = op_score/test_shape.c
test_op_score_shape_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_score_shape_LDADD = $(TEST_LIBS)
test_op_score_SOURCES = op_score/test_op_score.c
test_op_score_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_score_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_op_score
fuzz_op_score_SOURCES = op_score/fuzz_model.c $(op_score_model)
fuzz_op_score_CFLAGS = $(op_score_cflags)
fuzz_op_score_CXXFLAGS = $(op_score_cxxflags)
fuzz_op_score_LDADD = $(LDADD) $(op_score_libs)
endif

EXTRA_DIST += op_score/seeds/fuzz_op_score/logistic op_score/seeds/fuzz_op_score/linear
