# out_alert: alerts to stderr, the log, a command.
pluginexec_LTLIBRARIES += out_alert.la
out_alert_core = out_alert/job.c out_alert/job.h out_alert/message.c out_alert/message.h out_alert/queue.c \
	out_alert/queue.h out_alert/say.c out_alert/say.h
out_alert_la_SOURCES = out_alert/out_alert.c calendar/calendar.h $(out_alert_core)
out_alert_la_CFLAGS = $(AM_CFLAGS)
out_alert_la_LIBADD = $(PLUGIN_LIBS)

check_PROGRAMS += test_out_alert test_out_alert_command test_out_alert_message
test_out_alert_SOURCES = out_alert/test_out_alert.c out_alert/test_sink.h
test_out_alert_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_alert_LDADD = $(TEST_LIBS)
test_out_alert_command_SOURCES = out_alert/test_command.c out_alert/test_sink.h
test_out_alert_command_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_alert_command_LDADD = $(TEST_LIBS)
test_out_alert_message_SOURCES = out_alert/test_message.c out_alert/message.c out_alert/message.h calendar/calendar.h
test_out_alert_message_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_out_alert_message_LDADD = $(TEST_LIBS)
