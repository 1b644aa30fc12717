# out_lmdb: the archive. Needs LMDB, lz4, xxhash.
out_lmdb_libs = $(LMDB_LIBS) $(LZ4_LIBS) $(XXHASH_LIBS)
out_lmdb_cflags = $(AM_CFLAGS) $(LMDB_CFLAGS) $(LZ4_CFLAGS) $(XXHASH_CFLAGS)
out_lmdb_core = \
	out_lmdb/archive.h \
	out_lmdb/check.c \
	out_lmdb/env.c \
	out_lmdb/format.c \
	out_lmdb/format.h \
	out_lmdb/head.c \
	out_lmdb/look.c \
	out_lmdb/names.c \
	out_lmdb/pack.c \
	out_lmdb/pack.h \
	out_lmdb/pages.c \
	out_lmdb/pages.h \
	out_lmdb/pages_inside.h \
	out_lmdb/query.c \
	out_lmdb/query.h \
	out_lmdb/query_inside.h \
	out_lmdb/run.c \
	out_lmdb/run.h \
	out_lmdb/samples.c \
	out_lmdb/schema.c \
	out_lmdb/schema.h \
	out_lmdb/store.c \
	out_lmdb/store.h

pluginexec_LTLIBRARIES += out_lmdb.la
out_lmdb_la_SOURCES = out_lmdb/out_lmdb.c $(out_lmdb_core)
out_lmdb_la_CFLAGS = $(out_lmdb_cflags)
out_lmdb_la_LIBADD = $(PLUGIN_LIBS) $(out_lmdb_libs)

check_PROGRAMS += test_out_lmdb test_out_lmdb_archive test_out_lmdb_damage
test_out_lmdb_SOURCES = out_lmdb/test_out_lmdb.c
test_out_lmdb_LDADD = $(TEST_LIBS)
test_out_lmdb_archive_SOURCES = out_lmdb/test_archive.c out_lmdb/test_bench.c out_lmdb/test_bench.h $(out_lmdb_core)
test_out_lmdb_archive_CFLAGS = $(out_lmdb_cflags)
test_out_lmdb_archive_LDADD = $(TEST_LIBS) $(out_lmdb_libs)
test_out_lmdb_damage_SOURCES = out_lmdb/test_damage.c out_lmdb/test_bench.c out_lmdb/test_bench.h $(out_lmdb_core)
test_out_lmdb_damage_CFLAGS = $(out_lmdb_cflags)
test_out_lmdb_damage_LDADD = $(TEST_LIBS) $(out_lmdb_libs)

fuzz_targets += fuzz_out_lmdb
fuzz_out_lmdb_SOURCES = out_lmdb/fuzz_stored.c $(out_lmdb_core)
fuzz_out_lmdb_CFLAGS = $(out_lmdb_cflags)
fuzz_out_lmdb_LDADD = $(LDADD) $(out_lmdb_libs)

EXTRA_DIST += out_lmdb/seeds/fuzz_out_lmdb/run out_lmdb/seeds/fuzz_out_lmdb/schema
