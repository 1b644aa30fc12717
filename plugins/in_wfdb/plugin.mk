# in_wfdb: recordings in WFDB format, with annotations.
pluginexec_LTLIBRARIES += in_wfdb.la
in_wfdb_text = recording/text.c recording/text.h recording/fault.c recording/fault.h \
	in_wfdb/bytes.c in_wfdb/bytes.h
in_wfdb_header = in_wfdb/header.c in_wfdb/header.h in_wfdb/header_signal.c in_wfdb/header_inside.h \
	in_wfdb/format.c in_wfdb/format.h recording/when.c recording/when.h calendar/calendar.h $(in_wfdb_text)
in_wfdb_record = in_wfdb/segment.c in_wfdb/segment.h in_wfdb/record.c in_wfdb/record.h \
	in_wfdb/layout.c in_wfdb/record_inside.h recording/unit.c recording/unit.h recording/files.c \
	recording/files.h $(in_wfdb_header)
in_wfdb_annot = in_wfdb/annot.c in_wfdb/annot.h
in_wfdb_la_SOURCES = in_wfdb/in_wfdb.c in_wfdb/reader.c in_wfdb/reader.h in_wfdb/opening.c \
	in_wfdb/making.c in_wfdb/content.c in_wfdb/content.h in_wfdb/segments.c in_wfdb/segments.h \
	recording/paths.c recording/paths.h recording/digest.c recording/digest.h recording/pace.c \
	recording/pace.h recording/place.c recording/place.h recording/turns.c recording/turns.h \
	$(in_wfdb_annot) $(in_wfdb_record)
in_wfdb_la_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS)
in_wfdb_la_LIBADD = $(PLUGIN_LIBS) $(XXHASH_LIBS) -lm

check_PROGRAMS += test_in_wfdb_header test_in_wfdb_core test_in_wfdb_hostile test_in_wfdb
test_in_wfdb_header_SOURCES = in_wfdb/test_header.c $(in_wfdb_header)
test_in_wfdb_header_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_wfdb_header_LDADD = $(TEST_LIBS)
test_in_wfdb_core_SOURCES = in_wfdb/test_core.c recording/sha256.h $(in_wfdb_annot) $(in_wfdb_record)
test_in_wfdb_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_wfdb_core_LDADD = $(TEST_LIBS)
test_in_wfdb_hostile_SOURCES = in_wfdb/test_hostile.c $(in_wfdb_annot) $(in_wfdb_record)
test_in_wfdb_hostile_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_wfdb_hostile_LDADD = $(TEST_LIBS)
test_in_wfdb_SOURCES = in_wfdb/test_in_wfdb.c recording/testing.h
test_in_wfdb_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_wfdb_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_in_wfdb_header fuzz_in_wfdb_signal fuzz_in_wfdb_annot
fuzz_in_wfdb_header_SOURCES = in_wfdb/fuzz_header.c $(in_wfdb_header)
fuzz_in_wfdb_signal_SOURCES = in_wfdb/fuzz_signal.c $(in_wfdb_record)
fuzz_in_wfdb_annot_SOURCES = in_wfdb/fuzz_annot.c $(in_wfdb_annot) $(in_wfdb_text)
EXTRA_DIST += in_wfdb/seeds/fuzz_in_wfdb_header/single in_wfdb/seeds/fuzz_in_wfdb_header/segments \
	in_wfdb/seeds/fuzz_in_wfdb_annot/fields in_wfdb/seeds/fuzz_in_wfdb_annot/notes \
	in_wfdb/seeds/fuzz_in_wfdb_signal/skew in_wfdb/seeds/fuzz_in_wfdb_signal/segments \
	in_wfdb/seeds/fuzz_in_wfdb_signal/rates
