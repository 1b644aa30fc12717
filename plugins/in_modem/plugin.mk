# in_modem: a cellular modem behind AT commands.
in_modem_flags = $(AM_CPPFLAGS) -I$(srcdir)
in_modem_text = in_modem/gsm7.c in_modem/gsm7.h in_modem/gsm7_tables.c in_modem/gsm7_tables.h in_modem/utf16.c \
	in_modem/utf16.h
in_modem_pdu = calendar/calendar.h in_modem/parts.c in_modem/parts.h in_modem/pdu.c in_modem/pdu.h \
	in_modem/pdu_write.c $(in_modem_text)
in_modem_at = in_modem/at.c in_modem/at.h in_modem/at_words.c in_modem/at_words.h
in_modem_values = in_modem/at_fields.c in_modem/at_fields.h in_modem/at_message.c in_modem/at_network.c \
	in_modem/at_position.c in_modem/at_service.c in_modem/at_values.h
in_modem_core = $(in_modem_pdu) $(in_modem_at) $(in_modem_values)
in_modem_port = tty/port.c tty/port.h tty/port_line.c tty/port_usb.c

pluginexec_LTLIBRARIES += in_modem.la
in_modem_la_SOURCES = in_modem/in_modem.c in_modem/columns.c in_modem/config.h in_modem/engine.c in_modem/inbox.c \
	in_modem/kept.c in_modem/known.c in_modem/modem.c in_modem/modem.h in_modem/net.c in_modem/orders.c in_modem/outbox.c \
	in_modem/report.c in_modem/report.h in_modem/session.c in_modem/setup.c in_modem/store.c $(in_modem_core) $(in_modem_port)
in_modem_la_SOURCES += in_modem/mm_modem.h
in_modem_la_CPPFLAGS = $(in_modem_flags)
in_modem_la_CFLAGS = $(AM_CFLAGS)
in_modem_la_LIBADD = $(PLUGIN_LIBS) -lm

# The other backend: libmm-glib in a thread of its own. mm_talk speaks it by lines,
# for tests/devices/modemmanager.py.
in_modem_mm = in_modem/mm.c in_modem/mm.h in_modem/mm_bus.c in_modem/mm_care.c in_modem/mm_jobs.c in_modem/mm_own.h \
	in_modem/mm_sms.c in_modem/mm_values.c
if HAVE_MM_GLIB
in_modem_la_SOURCES += in_modem/mm_modem.c $(in_modem_mm)
in_modem_la_CPPFLAGS += -DHAVE_MM_GLIB
in_modem_la_CFLAGS += $(MM_GLIB_CFLAGS)
in_modem_la_LIBADD += $(MM_GLIB_LIBS)
check_PROGRAMS += test_in_modem_mm
noinst_PROGRAMS = mm_talk
test_in_modem_mm_SOURCES = in_modem/test_mm.c in_modem/at_words.c in_modem/at_words.h $(in_modem_mm)
test_in_modem_mm_CPPFLAGS = $(in_modem_flags)
test_in_modem_mm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MM_GLIB_CFLAGS)
test_in_modem_mm_LDADD = $(TEST_LIBS) $(MM_GLIB_LIBS)
mm_talk_SOURCES = in_modem/mm_talk.c in_modem/at_words.c in_modem/at_words.h $(in_modem_mm)
mm_talk_CPPFLAGS = $(in_modem_flags)
mm_talk_CFLAGS = $(AM_CFLAGS) $(MM_GLIB_CFLAGS)
mm_talk_LDADD = $(MM_GLIB_LIBS) -lm
endif
EXTRA_DIST += in_modem/mm_modem.c in_modem/mm_talk.c in_modem/test_mm.c $(in_modem_mm)

# Beside a scripted modem in real time, so not beside other tests: make modem-check.
EXTRA_PROGRAMS += test_in_modem test_in_modem_faults test_in_modem_field test_in_modem_stores
check_PROGRAMS += test_in_modem_at test_in_modem_messages test_in_modem_parts test_in_modem_pdu \
	test_in_modem_positions test_in_modem_text test_in_modem_transcripts test_in_modem_values
test_in_modem_at_SOURCES = in_modem/test_at.c $(in_modem_at)
test_in_modem_at_CPPFLAGS = $(in_modem_flags)
test_in_modem_at_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_at_LDADD = $(TEST_LIBS)
test_in_modem_messages_SOURCES = in_modem/test_messages.c $(in_modem_core)
test_in_modem_messages_CPPFLAGS = $(in_modem_flags)
test_in_modem_messages_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_messages_LDADD = $(TEST_LIBS)
test_in_modem_parts_SOURCES = in_modem/test_parts.c $(in_modem_pdu)
test_in_modem_parts_CPPFLAGS = $(in_modem_flags)
test_in_modem_parts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_parts_LDADD = $(TEST_LIBS)
test_in_modem_pdu_SOURCES = in_modem/test_pdu.c $(in_modem_pdu)
test_in_modem_pdu_CPPFLAGS = $(in_modem_flags)
test_in_modem_pdu_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_pdu_LDADD = $(TEST_LIBS)
test_in_modem_positions_SOURCES = in_modem/test_positions.c $(in_modem_core)
test_in_modem_positions_CPPFLAGS = $(in_modem_flags)
test_in_modem_positions_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_positions_LDADD = $(TEST_LIBS)
test_in_modem_text_SOURCES = in_modem/test_text.c $(in_modem_text)
test_in_modem_text_CPPFLAGS = $(in_modem_flags)
test_in_modem_text_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_text_LDADD = $(TEST_LIBS)
test_in_modem_transcripts_SOURCES = in_modem/test_transcripts.c $(in_modem_core)
test_in_modem_transcripts_CPPFLAGS = $(in_modem_flags)
test_in_modem_transcripts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_transcripts_LDADD = $(TEST_LIBS)
test_in_modem_values_SOURCES = in_modem/test_values.c $(in_modem_core)
test_in_modem_values_CPPFLAGS = $(in_modem_flags)
test_in_modem_values_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_values_LDADD = $(TEST_LIBS)
# with the fake modem of tests/devices on a pty
test_in_modem_SOURCES = in_modem/test_in_modem.c in_modem/test_modem.h
test_in_modem_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_LDADD = $(TEST_LIBS)
test_in_modem_faults_SOURCES = in_modem/test_faults.c in_modem/test_modem.h
test_in_modem_faults_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_faults_LDADD = $(TEST_LIBS)
test_in_modem_field_SOURCES = in_modem/test_field.c in_modem/test_modem.h
test_in_modem_field_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_field_LDADD = $(TEST_LIBS)
test_in_modem_stores_SOURCES = in_modem/test_stores.c in_modem/test_modem.h
test_in_modem_stores_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_modem_stores_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_modem_at fuzz_modem_pdu fuzz_modem_values
fuzz_modem_at_SOURCES = in_modem/fuzz_at.c $(in_modem_at)
fuzz_modem_at_CPPFLAGS = $(in_modem_flags)
fuzz_modem_pdu_SOURCES = in_modem/fuzz_pdu.c $(in_modem_pdu)
fuzz_modem_pdu_CPPFLAGS = $(in_modem_flags)
fuzz_modem_values_SOURCES = in_modem/fuzz_values.c $(in_modem_pdu) $(in_modem_values)
fuzz_modem_values_CPPFLAGS = $(in_modem_flags)
EXTRA_DIST += in_modem/seeds/fuzz_modem_at/csq in_modem/seeds/fuzz_modem_at/dial in_modem/seeds/fuzz_modem_at/list \
	in_modem/seeds/fuzz_modem_at/send in_modem/seeds/fuzz_modem_pdu/header in_modem/seeds/fuzz_modem_pdu/parts \
	in_modem/seeds/fuzz_modem_pdu/report in_modem/seeds/fuzz_modem_pdu/single in_modem/seeds/fuzz_modem_pdu/submit \
	in_modem/seeds/fuzz_modem_pdu/turkish in_modem/seeds/fuzz_modem_pdu/validity \
	in_modem/seeds/fuzz_modem_values/cesq in_modem/seeds/fuzz_modem_values/cgnsinf \
	in_modem/seeds/fuzz_modem_values/cmgl in_modem/seeds/fuzz_modem_values/creg in_modem/seeds/fuzz_modem_values/ctze \
	in_modem/seeds/fuzz_modem_values/cusd in_modem/seeds/fuzz_modem_values/language \
	in_modem/seeds/fuzz_modem_values/rmc
