# out_mail: rows as mails. Needs libcurl; without, left out.
if HAVE_CURL
out_mail_net = net/thread.h net/tls.c net/tls.h net/wire.h
out_mail_fill = calendar/calendar.h text/fill.c text/fill.h text/text.c text/text.h
out_mail_letter = out_mail/config.h out_mail/letter.c out_mail/letter.h out_mail/mime.c out_mail/mime.h \
	alert_rows/columns.c alert_rows/columns.h $(out_mail_fill)

pluginexec_LTLIBRARIES += out_mail.la
out_mail_la_SOURCES = out_mail/out_mail.c out_mail/options.c out_mail/post.c out_mail/post.h out_mail/post_inside.h \
	out_mail/send.c out_mail/smtp.c out_mail/smtp.h $(out_mail_letter) $(out_mail_net)
out_mail_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
out_mail_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
out_mail_la_LIBADD = $(PLUGIN_LIBS) $(CURL_LIBS)

check_PROGRAMS += test_out_mail test_out_mail_letter test_text_fill
test_out_mail_SOURCES = out_mail/test_out_mail.c out_mail/test_peer.h http/testing.h http/testing_tls.h
test_out_mail_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_mail_LDADD = $(TEST_LIBS)
test_out_mail_letter_SOURCES = out_mail/test_letter.c $(out_mail_letter)
test_out_mail_letter_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
test_out_mail_letter_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_mail_letter_LDADD = $(TEST_LIBS)
test_text_fill_SOURCES = text/test_fill.c $(out_mail_fill)
test_text_fill_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)
test_text_fill_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_text_fill_LDADD = $(TEST_LIBS)
endif
