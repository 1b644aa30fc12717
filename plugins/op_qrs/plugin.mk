# op_qrs: heart beats and heart rate from an ECG.
pluginexec_LTLIBRARIES += op_qrs.la
op_qrs_core = op_qrs/detector.c op_qrs/detector.h op_qrs/front.c
op_qrs_la_SOURCES = op_qrs/op_qrs.c $(op_qrs_core)
op_qrs_la_CFLAGS = $(AM_CFLAGS)
op_qrs_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_qrs_detector test_op_qrs_mitdb test_op_qrs
test_op_qrs_detector_SOURCES = op_qrs/test_detector.c op_qrs/test_heart.c op_qrs/test_heart.h \
	$(op_qrs_core)
test_op_qrs_detector_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_qrs_detector_LDADD = $(TEST_LIBS)
test_op_qrs_mitdb_SOURCES = op_qrs/test_mitdb.c $(op_qrs_core)
test_op_qrs_mitdb_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_qrs_mitdb_LDADD = $(TEST_LIBS)
test_op_qrs_SOURCES = op_qrs/test_op_qrs.c op_qrs/test_heart.c op_qrs/test_heart.h
test_op_qrs_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_qrs_LDADD = $(TEST_LIBS)
