# out_syslog: rows to syslog. Needs libcurl (for TLS); without, left out.
if HAVE_CURL
out_syslog_message = out_syslog/config.h out_syslog/message.c out_syslog/message.h alert_rows/columns.c alert_rows/columns.h \
	calendar/calendar.h text/fill.c text/fill.h text/text.c text/text.h
out_syslog_options = out_syslog/options.c net/tls.c net/tls.h net/uplink.h net/wire.h

pluginexec_LTLIBRARIES += out_syslog.la
out_syslog_la_SOURCES = out_syslog/out_syslog.c out_syslog/datagram.c out_syslog/stream.c out_syslog/way.c out_syslog/way.h \
	out_syslog/way_inside.h $(out_syslog_options) $(out_syslog_message)
out_syslog_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
out_syslog_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
out_syslog_la_LIBADD = $(PLUGIN_LIBS) $(CURL_LIBS)

check_PROGRAMS += test_out_syslog test_out_syslog_message
test_out_syslog_SOURCES = out_syslog/test_out_syslog.c
test_out_syslog_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_syslog_LDADD = $(TEST_LIBS)
test_out_syslog_message_SOURCES = out_syslog/test_message.c $(out_syslog_options) $(out_syslog_message)
test_out_syslog_message_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
test_out_syslog_message_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(CURL_CFLAGS)
test_out_syslog_message_LDADD = $(TEST_LIBS) $(CURL_LIBS)
endif
