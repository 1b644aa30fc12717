# out_http: records to a server by HTTP. Needs libcurl, zlib, zstd and simdjson;
# without one of them, left out.
# The C++ file stands in each target's own sources, as in op_json.
if HAVE_HTTP
out_http_flags = $(AM_CPPFLAGS) -I$(srcdir)
out_http_cflags = $(AM_CFLAGS) $(CURL_CFLAGS) $(ZLIB_CFLAGS) $(ZSTD_CFLAGS) $(LZ4_CFLAGS) $(XXHASH_CFLAGS)
out_http_cxxflags = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
out_http_libs = $(CURL_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(LZ4_LIBS) $(SIMDJSON_LIBS) -lm
out_http_json = json/grammar.h json/json.cc json/json.h
out_http_body = calendar/calendar.h text/text.c text/text.h http/pack.c http/pack.h http/record.c http/record.h \
	http/transfer.h http/pump.h http/way.h out_http/config.h out_http/element.c out_http/fhir.c out_http/frame.c \
	out_http/frame.h out_http/record.h
out_http_way = http/transfer.c net/tls.c net/tls.h out_http/answer.c out_http/answer.h out_http/token.c out_http/token.h \
	$(out_http_body) $(out_http_json)

pluginexec_LTLIBRARIES += out_http.la
out_http_la_SOURCES = out_http/out_http.c out_http/options.c out_http/server.c out_http/server.h http/finish.c \
	http/loop.c http/pump.c http/pump_inside.h http/uplink.c http/uplink.h http/way.c net/pace.h net/thread.h \
	net/uplink.h net/wire.h $(out_http_way)
out_http_la_CPPFLAGS = $(out_http_flags)
out_http_la_CFLAGS = $(out_http_cflags)
out_http_la_CXXFLAGS = $(out_http_cxxflags)
out_http_la_LIBADD = $(PLUGIN_LIBS) $(out_http_libs)

check_PROGRAMS += test_out_http test_out_http_body test_out_http_fhir test_out_http_later test_out_http_tls \
	test_out_http_token
test_out_http_SOURCES = out_http/test_out_http.c out_http/test_peer.h http/testing.h
test_out_http_CPPFLAGS = $(out_http_flags)
test_out_http_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_http_LDADD = $(TEST_LIBS)
test_out_http_fhir_SOURCES = out_http/test_fhir.c out_http/test_peer.h http/testing.h
test_out_http_fhir_CPPFLAGS = $(out_http_flags)
test_out_http_fhir_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_http_fhir_LDADD = $(TEST_LIBS)
test_out_http_later_SOURCES = out_http/test_later.c out_http/test_peer.h http/testing.h
test_out_http_later_CPPFLAGS = $(out_http_flags)
test_out_http_later_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_http_later_LDADD = $(TEST_LIBS)
test_out_http_tls_SOURCES = out_http/test_tls.c out_http/test_peer.h http/testing.h http/testing_tls.h
test_out_http_tls_CPPFLAGS = $(out_http_flags)
test_out_http_tls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_http_tls_LDADD = $(TEST_LIBS)
test_out_http_body_SOURCES = out_http/test_body.c out_http/answer.c out_http/answer.h $(out_http_body) $(out_http_json)
test_out_http_body_CPPFLAGS = $(out_http_flags)
test_out_http_body_CFLAGS = $(out_http_cflags) $(CMOCKA_CFLAGS)
test_out_http_body_CXXFLAGS = $(out_http_cxxflags)
test_out_http_body_LDADD = $(TEST_LIBS) $(out_http_libs)
test_out_http_token_SOURCES = out_http/test_token.c $(out_http_way)
test_out_http_token_CPPFLAGS = $(out_http_flags)
test_out_http_token_CFLAGS = $(out_http_cflags) $(CMOCKA_CFLAGS)
test_out_http_token_CXXFLAGS = $(out_http_cxxflags)
test_out_http_token_LDADD = $(TEST_LIBS) $(out_http_libs)

check_PROGRAMS += test_http_pack
test_http_pack_SOURCES = http/test_pack.c calendar/calendar.h text/text.c text/text.h http/pack.c http/pack.h
test_http_pack_CPPFLAGS = $(out_http_flags)
test_http_pack_CFLAGS = $(out_http_cflags) $(CMOCKA_CFLAGS)
test_http_pack_LDADD = $(TEST_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(LZ4_LIBS)
endif
