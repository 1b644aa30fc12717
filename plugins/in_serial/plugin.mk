# in_serial: a device on a serial line, read frame by frame and told commands.
in_serial_frames = in_serial/frame.c in_serial/frame.h in_serial/frame_block.c in_serial/frame_coded.c \
	in_serial/frame_encode.c in_serial/frame_line.c in_serial/frame_marked.c in_serial/sum.c in_serial/sum.h \
	in_serial/text.c in_serial/text.h in_serial/window.c in_serial/window.h
in_serial_port = tty/port.c tty/port.h tty/port_line.c tty/port_usb.c

pluginexec_LTLIBRARIES += in_serial.la
in_serial_rest = in_serial/options.h in_serial/command.c in_serial/command.h in_serial/config.c \
	in_serial/config.h in_serial/config_frame.c in_serial/data.c in_serial/device.c in_serial/orders.c \
	in_serial/orders_in.c in_serial/report.c in_serial/serial.c in_serial/serial.h in_serial/shape.c \
	$(in_serial_frames)
in_serial_la_SOURCES = in_serial/in_serial.c $(in_serial_rest) $(in_serial_port)
in_serial_la_CFLAGS = $(AM_CFLAGS)
in_serial_la_LIBADD = $(PLUGIN_LIBS)

check_PROGRAMS += test_in_serial_sum test_in_serial_frame test_tty_port test_in_serial \
	test_in_serial_pauses test_in_serial_commands test_in_serial_polls test_in_serial_fault
test_in_serial_sum_SOURCES = in_serial/test_sum.c in_serial/sum.c in_serial/sum.h in_serial/text.c in_serial/text.h
test_in_serial_sum_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_serial_sum_LDADD = $(TEST_LIBS)
test_in_serial_frame_SOURCES = in_serial/test_frame.c in_serial/test_cut.h $(in_serial_frames)
test_in_serial_frame_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_serial_frame_LDADD = $(TEST_LIBS)
test_tty_port_SOURCES = tty/test_port.c tty/testing.h $(in_serial_port)
test_tty_port_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_tty_port_LDADD = $(TEST_LIBS)
test_in_serial_SOURCES = in_serial/test_in_serial.c in_serial/test_line.h tty/testing.h
test_in_serial_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_serial_LDADD = $(TEST_LIBS)
test_in_serial_commands_SOURCES = in_serial/test_commands.c in_serial/test_line.h tty/testing.h
test_in_serial_commands_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_serial_commands_LDADD = $(TEST_LIBS)
test_in_serial_pauses_SOURCES = in_serial/test_pauses.c in_serial/test_line.h tty/testing.h
test_in_serial_pauses_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_serial_pauses_LDADD = $(TEST_LIBS)
test_in_serial_polls_SOURCES = in_serial/test_polls.c in_serial/test_line.h tty/testing.h
test_in_serial_polls_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_serial_polls_LDADD = $(TEST_LIBS)
# the plugin on a port that fails: test_fault.c includes in_serial.c
test_in_serial_fault_SOURCES = in_serial/test_fault.c tty/port.h $(in_serial_rest)
test_in_serial_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_in_serial_fault_LDADD = $(TEST_LIBS)

# A target for each framer.
in_serial_fuzz = in_serial/fuzz_frame.c in_serial/test_cut.h $(in_serial_frames)
fuzz_targets += fuzz_frame_line fuzz_frame_fixed fuzz_frame_length fuzz_frame_stx_etx \
	fuzz_frame_slip fuzz_frame_cobs fuzz_frame_marked
fuzz_frame_line_SOURCES = $(in_serial_fuzz)
fuzz_frame_line_CPPFLAGS = $(AM_CPPFLAGS) -DKIND=FRAME_LINE
fuzz_frame_fixed_SOURCES = $(in_serial_fuzz)
fuzz_frame_fixed_CPPFLAGS = $(AM_CPPFLAGS) -DKIND=FRAME_FIXED
fuzz_frame_length_SOURCES = $(in_serial_fuzz)
fuzz_frame_length_CPPFLAGS = $(AM_CPPFLAGS) -DKIND=FRAME_LENGTH
fuzz_frame_stx_etx_SOURCES = $(in_serial_fuzz)
fuzz_frame_stx_etx_CPPFLAGS = $(AM_CPPFLAGS) -DKIND=FRAME_STX_ETX
fuzz_frame_slip_SOURCES = $(in_serial_fuzz)
fuzz_frame_slip_CPPFLAGS = $(AM_CPPFLAGS) -DKIND=FRAME_SLIP
fuzz_frame_cobs_SOURCES = $(in_serial_fuzz)
fuzz_frame_cobs_CPPFLAGS = $(AM_CPPFLAGS) -DKIND=FRAME_COBS
fuzz_frame_marked_SOURCES = $(in_serial_fuzz)
fuzz_frame_marked_CPPFLAGS = $(AM_CPPFLAGS) -DKIND=FRAME_MARKED
EXTRA_DIST += in_serial/seeds/fuzz_frame_line/line \
	in_serial/seeds/fuzz_frame_line/monitor \
	in_serial/seeds/fuzz_frame_fixed/fixed \
	in_serial/seeds/fuzz_frame_fixed/sync \
	in_serial/seeds/fuzz_frame_length/length \
	in_serial/seeds/fuzz_frame_stx_etx/stx_etx \
	in_serial/seeds/fuzz_frame_slip/slip \
	in_serial/seeds/fuzz_frame_cobs/cobs \
	in_serial/seeds/fuzz_frame_marked/marks \
	in_serial/seeds/fuzz_frame_marked/hdlc
