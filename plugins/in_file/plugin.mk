# in_file: bytes from files, read once or followed.
pluginexec_LTLIBRARIES += in_file.la
in_file_core = in_file/cut.c in_file/cut.h in_file/times.c in_file/times.h calendar/calendar.h
in_file_rest = in_file/reader.h in_file/text.c in_file/make.c in_file/head.c \
	in_file/once.c in_file/once.h in_file/follow.c in_file/follow.h in_file/tracked.c in_file/watch.c \
	in_file/watch.h in_file/list.c in_file/list.h in_file/position.c $(in_file_core)
in_file_la_SOURCES = in_file/in_file.c $(in_file_rest)
in_file_la_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS)
in_file_la_LIBADD = $(PLUGIN_LIBS) $(XXHASH_LIBS)

check_PROGRAMS += test_in_file_core test_in_file_fault test_in_file_follow test_in_file_replay \
	test_in_file
test_in_file_core_SOURCES = in_file/test_core.c $(in_file_core)
test_in_file_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_file_core_LDADD = $(TEST_LIBS)
# the plugin with a disk that fails: test_fault.c includes in_file.c
test_in_file_fault_SOURCES = in_file/test_fault.c in_file/test_folder.h $(in_file_rest)
test_in_file_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(XXHASH_CFLAGS)
test_in_file_fault_LDADD = $(TEST_LIBS) $(XXHASH_LIBS)
test_in_file_follow_SOURCES = in_file/test_follow.c in_file/test_folder.h
test_in_file_follow_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_file_follow_LDADD = $(TEST_LIBS)
test_in_file_replay_SOURCES = in_file/test_replay.c in_file/test_folder.h
test_in_file_replay_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_file_replay_LDADD = $(TEST_LIBS)
test_in_file_SOURCES = in_file/test_in_file.c in_file/test_folder.h
test_in_file_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_file_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_in_file_times
fuzz_in_file_times_SOURCES = in_file/fuzz_times.c in_file/times.c in_file/times.h calendar/calendar.h
EXTRA_DIST += in_file/seeds/fuzz_in_file_times/iso in_file/seeds/fuzz_in_file_times/unix \
	in_file/seeds/fuzz_in_file_times/clock
