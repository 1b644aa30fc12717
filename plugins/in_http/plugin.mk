# in_http: JSON and files by HTTP, over libmicrohttpd with TLS of GnuTLS; JSON is checked by op_json's
# reader. Needs MICROHTTPD_LIBS, GNUTLS_LIBS and SIMDJSON_LIBS; without one of them, left out.
in_http_parts = in_http/answer.c in_http/answer.h in_http/arena.c in_http/arena.h in_http/config.h in_http/desk.c \
	in_http/desk.h in_http/door.c in_http/door.h in_http/intake.c in_http/intake.h in_http/known.c in_http/known.h \
	in_http/listen.c in_http/listen.h in_http/options.c in_http/route.c in_http/route.h in_http/split.c \
	in_http/split.h net/thread.h in_http/talk.c in_http/talk.h in_http/talk_body.c in_http/talk_head.c in_http/who.c in_http/who.h

if HAVE_MICROHTTPD
in_http_all = $(in_http_parts) json/grammar.h json/json.cc json/json.h text/text.c text/text.h
in_http_flags = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS) $(GNUTLS_CFLAGS)
in_http_libs = $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(SIMDJSON_LIBS)
pluginexec_LTLIBRARIES += in_http.la
in_http_la_SOURCES = in_http/in_http.c $(in_http_all)
in_http_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
in_http_la_CFLAGS = $(in_http_flags)
in_http_la_CXXFLAGS = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
in_http_la_LIBADD = $(PLUGIN_LIBS) $(in_http_libs)

check_PROGRAMS += test_in_http test_in_http_server
test_in_http_SOURCES = in_http/test_in_http.c $(in_http_all)
test_in_http_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
test_in_http_CFLAGS = $(in_http_flags) $(CMOCKA_CFLAGS)
test_in_http_CXXFLAGS = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
test_in_http_LDADD = $(TEST_LIBS) $(in_http_libs)
test_in_http_server_SOURCES = in_http/test_server.c
test_in_http_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_http_server_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_in_http
fuzz_in_http_SOURCES = in_http/fuzz_route.c in_http/route.c in_http/route.h in_http/split.c in_http/split.h \
	json/grammar.h json/json.cc json/json.h text/text.c text/text.h
fuzz_in_http_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
fuzz_in_http_CXXFLAGS = $(AM_CXXFLAGS) $(SIMDJSON_CFLAGS)
fuzz_in_http_LDADD = $(LDADD) $(SIMDJSON_LIBS)
endif
EXTRA_DIST += $(in_http_parts) in_http/in_http.c in_http/test_in_http.c in_http/test_server.c in_http/fuzz_route.c \
	in_http/seeds/fuzz_in_http/form in_http/seeds/fuzz_in_http/path in_http/seeds/fuzz_in_http/rows in_http/seeds/fuzz_in_http/lines
