# out_s3: records to an S3 store, as objects. Needs libcurl, zlib, zstd and libsodium;
# without one of them, left out.
if HAVE_S3
out_s3_flags = $(AM_CPPFLAGS) -I$(srcdir)
out_s3_cflags = $(AM_CFLAGS) $(CURL_CFLAGS) $(ZLIB_CFLAGS) $(ZSTD_CFLAGS) $(LZ4_CFLAGS) $(SODIUM_CFLAGS)
out_s3_libs = $(CURL_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(LZ4_LIBS) $(SODIUM_LIBS) -lm
out_s3_text = calendar/calendar.h text/text.c text/text.h
out_s3_words = http/pack.c http/pack.h http/pump.h http/record.c http/record.h http/transfer.h http/way.h \
	out_s3/answer.c out_s3/answer.h out_s3/config.h out_s3/key.c out_s3/key.h out_s3/sign.c out_s3/sign.h \
	out_s3/xml.c out_s3/xml.h $(out_s3_text)

pluginexec_LTLIBRARIES += out_s3.la
out_s3_la_SOURCES = out_s3/out_s3.c out_s3/options.c out_s3/request.c out_s3/store.c out_s3/store.h out_s3/sweep.c \
	http/finish.c http/loop.c http/pump.c http/pump_inside.h http/transfer.c http/uplink.c http/uplink.h http/way.c net/tls.c net/tls.h \
	net/pace.h net/thread.h net/uplink.h net/wire.h text/rows.c text/rows.h \
	$(out_s3_words)
out_s3_la_CPPFLAGS = $(out_s3_flags)
out_s3_la_CFLAGS = $(out_s3_cflags)
out_s3_la_LIBADD = $(PLUGIN_LIBS) $(out_s3_libs)

check_PROGRAMS += test_out_s3 test_out_s3_tls test_out_s3_words
test_out_s3_SOURCES = out_s3/test_out_s3.c http/testing.h
test_out_s3_CPPFLAGS = $(out_s3_flags)
test_out_s3_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_s3_LDADD = $(TEST_LIBS)
test_out_s3_tls_SOURCES = out_s3/test_tls.c http/testing.h http/testing_tls.h
test_out_s3_tls_CPPFLAGS = $(out_s3_flags)
test_out_s3_tls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_s3_tls_LDADD = $(TEST_LIBS)
test_out_s3_words_SOURCES = out_s3/test_words.c $(out_s3_words)
test_out_s3_words_CPPFLAGS = $(out_s3_flags)
test_out_s3_words_CFLAGS = $(out_s3_cflags) $(CMOCKA_CFLAGS)
test_out_s3_words_LDADD = $(TEST_LIBS) $(out_s3_libs)

fuzz_targets += fuzz_out_s3_xml
fuzz_out_s3_xml_SOURCES = out_s3/fuzz_xml.c out_s3/xml.c out_s3/xml.h
fuzz_out_s3_xml_CPPFLAGS = $(out_s3_flags)
endif

EXTRA_DIST += out_s3/seeds/fuzz_out_s3_xml/bomb out_s3/seeds/fuzz_out_s3_xml/complete \
	out_s3/seeds/fuzz_out_s3_xml/error out_s3/seeds/fuzz_out_s3_xml/list
