# in_edf: recordings in EDF, EDF+ and BDF, with annotations.
pluginexec_LTLIBRARIES += in_edf.la
in_edf_tal = in_edf/tal.c in_edf/tal.h recording/text.c recording/text.h
in_edf_header = in_edf/header.c in_edf/header.h in_edf/date.c recording/when.c recording/when.h calendar/calendar.h \
	recording/unit.c recording/unit.h recording/fault.c recording/fault.h
in_edf_core = in_edf/data.c in_edf/data.h in_edf/tracks.c in_edf/tracks.h in_edf/marks.c \
	in_edf/marks.h recording/files.c recording/files.h $(in_edf_header) $(in_edf_tal)
in_edf_la_SOURCES = in_edf/in_edf.c in_edf/reader.c in_edf/reader.h in_edf/opening.c \
	in_edf/making.c recording/paths.c recording/paths.h recording/digest.c recording/digest.h \
	recording/pace.c recording/pace.h recording/place.c recording/place.h recording/turns.c recording/turns.h \
	$(in_edf_core)
in_edf_la_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS)
in_edf_la_LIBADD = $(PLUGIN_LIBS) $(XXHASH_LIBS) -lm

# What recordings of all formats share is tested here, beside its larger user.
check_PROGRAMS += test_recording test_recording_turns
test_recording_SOURCES = recording/test_recording.c recording/digest.c recording/digest.h recording/fault.c \
	recording/fault.h recording/files.c recording/files.h recording/pace.c recording/pace.h recording/paths.c \
	recording/paths.h recording/place.c recording/place.h recording/text.c recording/text.h recording/unit.c \
	recording/unit.h recording/when.c recording/when.h calendar/calendar.h
test_recording_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS) $(CMOCKA_CFLAGS)
test_recording_LDADD = $(TEST_LIBS) $(XXHASH_LIBS)
test_recording_turns_SOURCES = recording/test_turns.c recording/digest.c recording/digest.h recording/paths.c \
	recording/paths.h recording/place.c recording/place.h recording/turns.c recording/turns.h
test_recording_turns_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS) $(CMOCKA_CFLAGS)
test_recording_turns_LDADD = $(TEST_LIBS) $(XXHASH_LIBS)

check_PROGRAMS += test_in_edf_header test_in_edf_core test_in_edf_hostile test_in_edf
test_in_edf_header_SOURCES = in_edf/test_header.c in_edf/test_make.h recording/testing.h $(in_edf_header) $(in_edf_tal)
test_in_edf_header_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_edf_header_LDADD = $(TEST_LIBS)
test_in_edf_core_SOURCES = in_edf/test_core.c in_edf/test_make.h recording/testing.h recording/sha256.h $(in_edf_core)
test_in_edf_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_edf_core_LDADD = $(TEST_LIBS)
test_in_edf_hostile_SOURCES = in_edf/test_hostile.c in_edf/test_make.h recording/testing.h
test_in_edf_hostile_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_edf_hostile_LDADD = $(TEST_LIBS)
test_in_edf_SOURCES = in_edf/test_in_edf.c in_edf/test_make.h recording/testing.h recording/sha256.h
test_in_edf_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_edf_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_in_edf_header fuzz_in_edf_tal fuzz_in_edf_file
fuzz_in_edf_header_SOURCES = in_edf/fuzz_header.c $(in_edf_header) recording/text.c recording/text.h
fuzz_in_edf_tal_SOURCES = in_edf/fuzz_tal.c $(in_edf_tal)
fuzz_in_edf_file_SOURCES = in_edf/fuzz_file.c $(in_edf_core)
EXTRA_DIST += in_edf/seeds/fuzz_in_edf_header/plain in_edf/seeds/fuzz_in_edf_header/plus \
	in_edf/seeds/fuzz_in_edf_header/bdf in_edf/seeds/fuzz_in_edf_tal/texts \
	in_edf/seeds/fuzz_in_edf_tal/clock in_edf/seeds/fuzz_in_edf_tal/latin \
	in_edf/seeds/fuzz_in_edf_file/plain in_edf/seeds/fuzz_in_edf_file/cut \
	in_edf/seeds/fuzz_in_edf_file/annotations in_edf/seeds/fuzz_in_edf_file/bdf
