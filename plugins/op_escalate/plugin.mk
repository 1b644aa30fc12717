# op_escalate: alerts to people, step by step; and alert_rows/, see op_alert/plugin.mk, which comes before.
op_escalate_core = op_escalate/ladder.c op_escalate/ladder.h op_escalate/plan.c op_escalate/plan.h \
	$(alert_rows) $(alert_templates) $(subject_clocks)

pluginexec_LTLIBRARIES += op_escalate.la
op_escalate_la_SOURCES = op_escalate/op_escalate.c op_escalate/escalate.h op_escalate/answer.c op_escalate/rows.c \
	op_escalate/shape.c op_escalate/tell.c op_escalate/times.c $(op_escalate_core)
op_escalate_la_CFLAGS = $(AM_CFLAGS)
op_escalate_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_escalate test_op_escalate_times test_op_escalate_answers
test_op_escalate_SOURCES = op_escalate/test_op_escalate.c op_escalate/test_calls.h
test_op_escalate_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_escalate_LDADD = $(TEST_LIBS)
test_op_escalate_times_SOURCES = op_escalate/test_times.c op_escalate/test_calls.h
test_op_escalate_times_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_escalate_times_LDADD = $(TEST_LIBS)
test_op_escalate_answers_SOURCES = op_escalate/test_answers.c op_escalate/test_calls.h
test_op_escalate_answers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_escalate_answers_LDADD = $(TEST_LIBS)
