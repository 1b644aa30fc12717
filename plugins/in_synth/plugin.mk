# in_synth: a modelled patient. No fused multiply-add: the same seed gives the
# same bytes on every machine.
pluginexec_LTLIBRARIES += in_synth.la
in_synth_heart = in_synth/ecg.c in_synth/ecg.h in_synth/rhythm.c in_synth/rhythm.h \
	in_synth/exact.h in_synth/ramp.h
in_synth_body = in_synth/body.c in_synth/body.h in_synth/breath.c in_synth/breath.h \
	in_synth/pulse.c in_synth/pulse.h
in_synth_ward = in_synth/ward.c in_synth/ward.h in_synth/ward_inside.h in_synth/blocks.c \
	in_synth/signals.c in_synth/when.c in_synth/ports.c in_synth/date.c in_synth/date.h calendar/calendar.h
in_synth_la_SOURCES = in_synth/in_synth.c $(in_synth_ward) $(in_synth_heart) $(in_synth_body)
in_synth_la_CFLAGS = $(AM_CFLAGS) -ffp-contract=off
in_synth_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_in_synth_rhythm test_in_synth_core test_in_synth_models \
	test_in_synth_place test_in_synth test_in_synth_signals test_in_synth_episodes
test_in_synth_rhythm_SOURCES = in_synth/test_rhythm.c in_synth/rhythm.c in_synth/rhythm.h in_synth/exact.h
test_in_synth_rhythm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -ffp-contract=off
test_in_synth_rhythm_LDADD = $(CMOCKA_LIBS) -lm
test_in_synth_core_SOURCES = in_synth/test_core.c $(in_synth_heart)
test_in_synth_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -ffp-contract=off
test_in_synth_core_LDADD = $(CMOCKA_LIBS) -lm
test_in_synth_models_SOURCES = in_synth/test_models.c $(in_synth_body) in_synth/exact.h in_synth/ramp.h
test_in_synth_models_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -ffp-contract=off
test_in_synth_models_LDADD = $(CMOCKA_LIBS) -lm
test_in_synth_place_SOURCES = in_synth/test_place.c $(in_synth_ward) $(in_synth_heart) $(in_synth_body)
test_in_synth_place_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -ffp-contract=off
test_in_synth_place_LDADD = $(CMOCKA_LIBS) -lm
test_in_synth_SOURCES = in_synth/test_in_synth.c in_synth/test_same.h
test_in_synth_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_synth_LDADD = $(TEST_LIBS)
test_in_synth_signals_SOURCES = in_synth/test_signals.c in_synth/test_outcome.h in_synth/test_same.h
test_in_synth_signals_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_synth_signals_LDADD = $(TEST_LIBS)
test_in_synth_episodes_SOURCES = in_synth/test_episodes.c in_synth/test_outcome.h
test_in_synth_episodes_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_synth_episodes_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_in_synth_date
fuzz_in_synth_date_SOURCES = in_synth/fuzz_date.c in_synth/date.c in_synth/date.h calendar/calendar.h
EXTRA_DIST += in_synth/seeds/fuzz_in_synth_date/day in_synth/seeds/fuzz_in_synth_date/second
