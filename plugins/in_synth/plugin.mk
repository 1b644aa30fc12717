# in_synth: a modelled patient. No fused multiply-add: the same seed gives the
# same bytes on every machine.
pluginexec_LTLIBRARIES += in_synth.la
in_synth_model = in_synth/ecg.c in_synth/ecg.h in_synth/rhythm.c in_synth/rhythm.h \
	in_synth/exact.h
in_synth_la_SOURCES = in_synth/in_synth.c in_synth/ward.c in_synth/ward.h in_synth/ward_inside.h \
	in_synth/blocks.c in_synth/date.c in_synth/date.h $(in_synth_model)
in_synth_la_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
in_synth_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_in_synth_rhythm test_in_synth_core test_in_synth
test_in_synth_rhythm_SOURCES = in_synth/test_rhythm.c in_synth/rhythm.c in_synth/rhythm.h in_synth/exact.h
test_in_synth_rhythm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -ffp-contract=off
test_in_synth_rhythm_LDADD = $(CMOCKA_LIBS) -lm
test_in_synth_core_SOURCES = in_synth/test_core.c $(in_synth_model)
test_in_synth_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -ffp-contract=off
test_in_synth_core_LDADD = $(CMOCKA_LIBS) -lm
test_in_synth_SOURCES = in_synth/test_in_synth.c
test_in_synth_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_synth_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_in_synth_date
fuzz_in_synth_date_SOURCES = in_synth/fuzz_date.c in_synth/date.c in_synth/date.h
EXTRA_DIST += in_synth/seeds/fuzz_in_synth_date/day in_synth/seeds/fuzz_in_synth_date/second
