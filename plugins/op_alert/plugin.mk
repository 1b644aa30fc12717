# op_alert: rules on rows to alerts; and alert_rows/, which op_watch is made of as well.
alert_rows = alert_rows/columns.c alert_rows/columns.h alert_rows/keep.h
alert_templates = alert_rows/template.c alert_rows/template.h calendar/calendar.h
subject_clocks = alert_rows/clocks.c alert_rows/clocks.h
op_alert_core = op_alert/check.c op_alert/judge.c op_alert/judge.h op_alert/rules.c op_alert/rules.h \
	op_alert/tell.c op_alert/tell.h op_alert/trend.c op_alert/trend.h \
	op_alert/values.c op_alert/values.h $(alert_rows) $(alert_templates) $(subject_clocks)

pluginexec_LTLIBRARIES += op_alert.la
op_alert_la_SOURCES = op_alert/op_alert.c op_alert/op_alert.h op_alert/alert.c op_alert/command.c op_alert/row.c \
	op_alert/shape.c calendar/calendar.h $(op_alert_core)
op_alert_la_CFLAGS = $(AM_CFLAGS)
op_alert_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_alert_rows
test_alert_rows_SOURCES = alert_rows/test_columns.c $(alert_rows)
test_alert_rows_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_alert_rows_LDADD = $(TEST_LIBS)

check_PROGRAMS += test_clocks
test_clocks_SOURCES = alert_rows/test_clocks.c $(subject_clocks)
test_clocks_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_clocks_LDADD = $(TEST_LIBS)

check_PROGRAMS += test_op_alert test_op_alert_story test_op_alert_ward test_op_alert_rules test_op_alert_core
test_op_alert_SOURCES = op_alert/test_op_alert.c op_alert/test_alerts.h
test_op_alert_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_alert_LDADD = $(TEST_LIBS) -lm
test_op_alert_story_SOURCES = op_alert/test_story.c op_alert/test_alerts.h
test_op_alert_story_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_alert_story_LDADD = $(TEST_LIBS) -lm
test_op_alert_ward_SOURCES = op_alert/test_ward.c op_alert/test_alerts.h
test_op_alert_ward_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_alert_ward_LDADD = $(TEST_LIBS) -lm
test_op_alert_rules_SOURCES = op_alert/test_rules.c op_alert/test_alerts.h
test_op_alert_rules_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_alert_rules_LDADD = $(TEST_LIBS) -lm
test_op_alert_core_SOURCES = op_alert/test_core.c $(op_alert_core)
test_op_alert_core_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_alert_core_LDADD = $(TEST_LIBS) -lm

check_PROGRAMS += test_op_alert_clocks
test_op_alert_clocks_SOURCES = op_alert/test_clocks.c op_alert/test_alerts.h
test_op_alert_clocks_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_alert_clocks_LDADD = $(TEST_LIBS) -lm
