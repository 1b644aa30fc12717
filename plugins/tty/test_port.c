/* SPDX-License-Identifier: Apache-2.0
 *
 * test_port.c - settings as they would be made, on paper where a pty drops them;
 * that nothing else is taken instead; and adapters found by their USB id. */
#include "port.h"
#include "testing.h"

#include <asm/termbits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

static struct port_rule rule_of(const char *path)
{
    return (struct port_rule){ .path = path, .interface = -1, .sysfs = "/sys", .baud = 9600, .data_bits = 8,
                               .stop_bits = 1 };
}

static struct termios2 image_of(const struct port_rule *rule)
{
    struct termios2 t;

    memset(&t, 0, sizeof t);
    t.c_iflag = ICRNL | IXON | ISTRIP | INPCK;
    t.c_oflag = OPOST;
    t.c_lflag = ICANON | ECHO | ISIG;
    t.c_cflag = B9600 | CS7 | PARENB | PARODD | CSTOPB | CRTSCTS;
    line_image(rule, &t);
    return t;
}

TEST(the_image_of_a_plain_line_is_raw)
{
    struct port_rule rule = rule_of("x");
    struct termios2 t = image_of(&rule);

    assert_int_equal(t.c_iflag, IGNBRK);
    assert_int_equal(t.c_oflag, 0);
    assert_int_equal(t.c_lflag, 0);
    assert_int_equal(t.c_cflag, BOTHER | BOTHER << IBSHIFT | CREAD | CLOCAL | HUPCL | CS8);
    assert_int_equal(t.c_ospeed, 9600);
    assert_int_equal(t.c_ispeed, 9600);
    assert_int_equal(t.c_cc[VMIN], 1);
    assert_null(line_difference(&rule, &t));
}

TEST(parity_bits_and_stops_are_in_the_image)
{
    static const tcflag_t parity[] = { 0, PARENB, PARENB | PARODD, PARENB | PARODD | CMSPAR, PARENB | CMSPAR };
    static const tcflag_t size[] = { CS5, CS6, CS7, CS8 };
    struct port_rule rule = rule_of("x");

    for (unsigned p = PARITY_NONE; p <= PARITY_SPACE; p++)
        for (unsigned bits = 5; bits <= 8; bits++)
            for (unsigned stop = 1; stop <= 2; stop++) {
                struct termios2 t;

                rule.parity = (enum port_parity)p;
                rule.data_bits = bits;
                rule.stop_bits = stop;
                t = image_of(&rule);
                assert_int_equal(t.c_cflag & (PARENB | PARODD | CMSPAR), parity[p]);
                assert_int_equal(t.c_cflag & CSIZE, size[bits - 5]);
                assert_int_equal((t.c_cflag & CSTOPB) != 0, stop == 2);
                assert_int_equal((t.c_iflag & INPCK) != 0, p != PARITY_NONE);
                assert_null(line_difference(&rule, &t));
            }
}

TEST(flow_control_is_in_the_image)
{
    struct port_rule rule = rule_of("x");
    struct termios2 t;

    rule.flow = FLOW_RTSCTS;
    t = image_of(&rule);
    assert_true(t.c_cflag & CRTSCTS);
    assert_false(t.c_iflag & (IXON | IXOFF));
    rule.flow = FLOW_XONXOFF;
    t = image_of(&rule);
    assert_false(t.c_cflag & CRTSCTS);
    assert_int_equal(t.c_iflag & (IXON | IXOFF | IXANY), IXON | IXOFF);
}

TEST(a_setting_that_is_read_back_otherwise_is_named)
{
    static const struct {
        const char *name;
        tcflag_t iflag, cflag;
        speed_t rate;
    } wrong[] = {
        { "baud", 0, 0, 300 },
        { "data_bits", 0, CSIZE & ~CS7, 0 },
        { "parity", 0, PARENB, 0 },
        { "parity", 0, CMSPAR, 0 },
        { "parity", 0, PARODD, 0 },
        { "stop_bits", 0, CSTOPB, 0 },
        { "flow", 0, CRTSCTS, 0 },
        { "flow", IXOFF, 0, 0 },
        { "path", ICRNL, 0, 0 },
    };
    struct port_rule rule = rule_of("x");

    rule.parity = PARITY_EVEN;
    rule.data_bits = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct termios2 t = image_of(&rule);

        t.c_iflag ^= wrong[i].iflag;
        t.c_cflag ^= wrong[i].cflag;
        t.c_ospeed += wrong[i].rate;
        assert_string_equal(line_difference(&rule, &t), wrong[i].name);
    }
}

TEST(a_rate_as_near_as_a_divider_gives_is_the_same)
{
    struct port_rule rule = rule_of("x");
    struct termios2 t;

    rule.baud = 115200;
    t = image_of(&rule);
    t.c_ospeed = t.c_ispeed = 115384; /* 3 MHz / 26 */
    assert_null(line_difference(&rule, &t));
    t.c_ispeed = 111000;
    assert_string_equal(line_difference(&rule, &t), "baud");
}

static void refused(struct port_rule rule, const char *setting)
{
    struct port_fault fault;

    assert_int_equal(port_open(&rule, &fault), -1);
    assert_true(fault.refused);
    assert_string_equal(fault.setting, setting);
    assert_true(fault.why[0]);
}

TEST(what_a_pty_does_not_take_is_refused_by_name)
{
    struct pty p = pty_new();
    struct port_rule rule;

    for (unsigned parity = PARITY_EVEN; parity <= PARITY_SPACE; parity++) {
        rule = rule_of(p.slave);
        rule.parity = (enum port_parity)parity;
        refused(rule, "parity");
    }
    rule = rule_of(p.slave);
    rule.data_bits = 7;
    refused(rule, "data_bits");
    rule = rule_of(p.slave);
    rule.flow = FLOW_RTSCTS;
    refused(rule, "flow");
    rule = rule_of(p.slave);
    rule.dtr = PIN_ON;
    refused(rule, "dtr");
    refused(rule_of("/dev/null"), "path");
    refused(rule_of("/"), "path");
    (void)close(p.master);
}

TEST(any_rate_and_two_stop_bits_and_xonxoff_are_taken_and_read_back)
{
    static const int64_t rates[] = { 50, 1200, 9600, 31250, 115200, 250000, 1000001, 4000000 };
    struct pty p = pty_new();
    struct port_fault fault;

    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct port_rule rule = rule_of(p.slave);
        int fd;

        rule.baud = rates[i];
        rule.stop_bits = 2;
        rule.flow = FLOW_XONXOFF;
        fd = port_open(&rule, &fault);
        if (fd < 0)
            fail_msg("%d: %s %s", (int)rates[i], fault.setting, fault.why);
        port_close(fd);
    }
    (void)close(p.master);
}

TEST(a_port_is_ours_alone_and_is_given_back)
{
    struct pty p = pty_new();
    struct port_rule rule = rule_of(p.slave);
    struct port_fault fault;
    int fd = port_open(&rule, &fault), again;

    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(port_open(&rule, &fault), -1);
    assert_false(fault.refused);
    assert_string_equal(fault.why, "the device is in use by another program");
    port_close(fd);
    rule.shared = true;
    fd = port_open(&rule, &fault);
    again = port_open(&rule, &fault);
    assert_true(fd >= 0 && again >= 0);
    port_close(fd);
    port_close(again);
    (void)close(p.master);
}

/* As a user that may not open what somebody keeps for himself; then dies at work. */
static int open_and_die(const struct pty *p, int *ret_status)
{
    struct port_rule rule = rule_of(p->slave);
    struct port_fault fault;
    pid_t pid = fork();

    if (pid == 0) {
        if (setresuid(65534, 65534, 65534) == 0 || geteuid() != 0)
            (void)kill(getpid(), port_open(&rule, &fault) >= 0 ? SIGKILL : SIGTERM);
        _exit(0);
    }
    return pid < 0 || waitpid(pid, ret_status, 0) != pid ? -1 : 0;
}

TEST(a_pty_whose_user_was_killed_can_be_opened_again)
{
    struct pty p = pty_new();
    int status = 0;

    assert_int_equal(chmod(p.slave, 0666), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_and_die(&p, &status), 0);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
    }
    (void)close(p.master);
}

TEST(a_port_that_is_not_there_is_a_fault_and_no_refusal)
{
    struct port_rule rule = rule_of("/nowhere/ttyUSB0");
    struct port_fault fault;

    assert_int_equal(port_open(&rule, &fault), -1);
    assert_false(fault.refused);
    assert_non_null(strstr(fault.why, "No such file"));
}

/* ---- a copy of what sysfs shows ---- */

static void folder(const char *name)
{
    assert_int_equal(mkdir(pty_at(name), 0700) && errno != EEXIST, 0);
}

static void value(const char *usb, const char *name, const char *text)
{
    char path[80];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", usb, name);
    file = fopen(pty_at(path), "w");
    assert_non_null(file);
    assert_true(fprintf(file, "%s\n", text) > 0);
    assert_int_equal(fclose(file), 0);
}

/* An adapter `usb` with one interface, which is the tty `name`; ids "v p serial". */
static void adapter(const char *usb, const char *ids, const char *interface, const char *name, const char *node)
{
    char v[8], p[8], serial[32], path[80], target[160], devname[80];

    assert_int_equal(sscanf(ids, "%7s %7s %31s", v, p, serial), 3);
    (void)snprintf(path, sizeof path, "%s", usb);
    folder(path);
    value(usb, "idVendor", v);
    value(usb, "idProduct", p);
    value(usb, "serial", serial);
    (void)snprintf(path, sizeof path, "%s/1.%s", usb, interface);
    folder(path);
    value(path, "bInterfaceNumber", interface);
    (void)snprintf(target, sizeof target, "%s", pty_at(path));
    (void)snprintf(path, sizeof path, "class/tty/%s", name);
    folder(path);
    (void)snprintf(devname, sizeof devname, "MAJOR=188\nDEVNAME=%s", node);
    value(path, "uevent", devname);
    (void)snprintf(path, sizeof path, "class/tty/%s/device", name);
    (void)unlink(pty_at(path));
    assert_int_equal(symlink(target, pty_at(path)), 0);
}

static void sysfs_new(void)
{
    pty_clean();
    folder("class");
    folder("class/tty");
    folder("class/tty/tty0"); /* one without a device */
    adapter("1-1", "0403 6001 A50285BI", "00", "ttyUSB0", "ttyUSB0");
    adapter("1-2", "0403 6001 B7", "00", "ttyUSB1", "pts/1");
    adapter("1-3", "1a86 7523 C", "00", "ttyUSB2", "ttyUSB2");
    adapter("1-4", "10C4 ea71 D", "00", "ttyUSB3", "ttyUSB3");
    adapter("1-4", "10C4 ea71 D", "0a", "ttyUSB4", "ttyUSB4");
}

static int found(const char *vendor, const char *product, const char *serial, int64_t interface, const char *node)
{
    struct port_rule rule = { .vendor = vendor, .product = product, .serial = serial, .interface = interface };
    char root[64], got[PORT_NODE] = "";
    int error;

    (void)pty_at("");
    (void)snprintf(root, sizeof root, "%s", pty_folder);
    rule.sysfs = root;
    error = port_find(&rule, got);
    if (!error)
        assert_string_equal(got, node);
    return error;
}

TEST(an_adapter_is_found_by_its_usb_id)
{
    sysfs_new();
    assert_int_equal(found("1a86", "7523", NULL, -1, "/dev/ttyUSB2"), 0);
    assert_int_equal(found("1A86", "7523", "", -1, "/dev/ttyUSB2"), 0);
    assert_int_equal(found("0403", "6001", "B7", -1, "/dev/pts/1"), 0);
    assert_int_equal(found("0403", "6001", "A50285BI", 0, "/dev/ttyUSB0"), 0);
    assert_int_equal(found("10c4", "ea71", NULL, 10, "/dev/ttyUSB4"), 0);
    pty_clean();
}

TEST(none_or_more_than_one_is_not_guessed)
{
    sysfs_new();
    assert_int_equal(found("0403", "6001", NULL, -1, ""), EEXIST);
    assert_int_equal(found("10c4", "ea71", NULL, -1, ""), EEXIST);
    assert_int_equal(found("0403", "6002", NULL, -1, ""), ENODEV);
    assert_int_equal(found("0403", "6001", "b7", -1, ""), ENODEV);
    assert_int_equal(found("0403", "6001", "B7", 1, ""), ENODEV);
    pty_clean();
    assert_int_equal(found("0403", "6001", NULL, -1, ""), ENOENT);
    pty_clean();
}

TEST(a_node_name_that_leads_elsewhere_is_none)
{
    sysfs_new();
    adapter("1-3", "1a86 7523 C", "00", "ttyUSB2", "../etc/passwd");
    assert_int_equal(found("1a86", "7523", NULL, -1, ""), ENODEV);
    adapter("1-3", "1a86 7523 C", "00", "ttyUSB2", "/etc/passwd");
    assert_int_equal(found("1a86", "7523", NULL, -1, ""), ENODEV);
    pty_clean();
}

AFF_TEST_MAIN(the_image_of_a_plain_line_is_raw, parity_bits_and_stops_are_in_the_image,
              flow_control_is_in_the_image, a_setting_that_is_read_back_otherwise_is_named,
              a_rate_as_near_as_a_divider_gives_is_the_same, what_a_pty_does_not_take_is_refused_by_name,
              any_rate_and_two_stop_bits_and_xonxoff_are_taken_and_read_back,
              a_port_is_ours_alone_and_is_given_back, a_pty_whose_user_was_killed_can_be_opened_again,
              a_port_that_is_not_there_is_a_fault_and_no_refusal,
              an_adapter_is_found_by_its_usb_id, none_or_more_than_one_is_not_guessed,
              a_node_name_that_leads_elsewhere_is_none)
