# op_anonymize: pseudonymisation of rows and samples.
op_anonymize_cflags = $(AM_CFLAGS) $(SODIUM_CFLAGS)
op_anonymize_core = \
	op_anonymize/anonymize.h \
	op_anonymize/check.c \
	op_anonymize/check.h \
	op_anonymize/clean.c \
	op_anonymize/clean.h \
	op_anonymize/config.h \
	calendar/calendar.h \
	op_anonymize/dates.c \
	op_anonymize/dates.h \
	op_anonymize/identity.c \
	op_anonymize/key.c \
	op_anonymize/key.h \
	op_anonymize/plan.c \
	op_anonymize/report.c \
	op_anonymize/rows.c \
	op_anonymize/rules.c \
	op_anonymize/rules.h \
	op_anonymize/secret.c \
	op_anonymize/secret.h \
	op_anonymize/shape.c \
	op_anonymize/signal.c \
	op_anonymize/tally.c \
	op_anonymize/tally.h \
	op_anonymize/value.c \
	op_anonymize/value.h
op_anonymize_bench = op_anonymize/test_bench.c op_anonymize/test_bench.h op_anonymize/reference.h

pluginexec_LTLIBRARIES += op_anonymize.la
op_anonymize_la_SOURCES = op_anonymize/op_anonymize.c $(op_anonymize_core)
op_anonymize_la_CFLAGS = $(op_anonymize_cflags)
op_anonymize_la_LIBADD = $(PLUGIN_LIBS) $(SODIUM_LIBS) -lm

check_PROGRAMS += test_op_anonymize_core test_op_anonymize test_op_anonymize_runs test_op_anonymize_samples \
	test_op_anonymize_shape test_op_anonymize_report
test_op_anonymize_core_SOURCES = op_anonymize/test_core.c op_anonymize/reference.h $(op_anonymize_core)
test_op_anonymize_core_CFLAGS = $(op_anonymize_cflags) $(CMOCKA_CFLAGS)
test_op_anonymize_core_LDADD = $(TEST_LIBS) $(SODIUM_LIBS)
test_op_anonymize_SOURCES = op_anonymize/test_op_anonymize.c $(op_anonymize_bench)
test_op_anonymize_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_anonymize_LDADD = $(TEST_LIBS)
test_op_anonymize_runs_SOURCES = op_anonymize/test_runs.c $(op_anonymize_bench)
test_op_anonymize_runs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_anonymize_runs_LDADD = $(TEST_LIBS)
test_op_anonymize_samples_SOURCES = op_anonymize/test_samples.c $(op_anonymize_bench) $(op_anonymize_core)
test_op_anonymize_samples_CFLAGS = $(op_anonymize_cflags) $(CMOCKA_CFLAGS)
test_op_anonymize_samples_LDADD = $(TEST_LIBS) $(SODIUM_LIBS)
test_op_anonymize_shape_SOURCES = op_anonymize/test_shape.c $(op_anonymize_bench)
test_op_anonymize_shape_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_anonymize_shape_LDADD = $(TEST_LIBS)
test_op_anonymize_report_SOURCES = op_anonymize/test_report.c $(op_anonymize_bench)
test_op_anonymize_report_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_anonymize_report_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_op_anonymize_key fuzz_op_anonymize_value
fuzz_op_anonymize_key_SOURCES = op_anonymize/fuzz_key.c op_anonymize/key.c op_anonymize/key.h
fuzz_op_anonymize_key_CFLAGS = $(op_anonymize_cflags)
fuzz_op_anonymize_key_LDADD = $(LDADD) $(SODIUM_LIBS)
fuzz_op_anonymize_value_SOURCES = op_anonymize/fuzz_value.c op_anonymize/clean.c op_anonymize/clean.h \
	op_anonymize/dates.c op_anonymize/dates.h calendar/calendar.h op_anonymize/rules.c op_anonymize/rules.h \
	op_anonymize/secret.c op_anonymize/secret.h op_anonymize/value.c op_anonymize/value.h \
	op_anonymize/config.h op_anonymize/key.h
fuzz_op_anonymize_value_CFLAGS = $(op_anonymize_cflags)
fuzz_op_anonymize_value_LDADD = $(LDADD) $(SODIUM_LIBS)

EXTRA_DIST += op_anonymize/reference.py op_anonymize/seeds/fuzz_op_anonymize_key/good \
	op_anonymize/seeds/fuzz_op_anonymize_key/later op_anonymize/seeds/fuzz_op_anonymize_value/date \
	op_anonymize/seeds/fuzz_op_anonymize_value/number op_anonymize/seeds/fuzz_op_anonymize_value/unit
