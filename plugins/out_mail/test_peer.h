/* test_peer.h - out_mail beside tests/net/smtp_server.py, and alerts for it.
 *
 * Not here: what any sink does beside a server of tests/net (http/testing.h, testing_tls.h). */
#ifndef OUT_MAIL_TEST_PEER_H
#define OUT_MAIL_TEST_PEER_H

#include "http/testing_tls.h"

static const struct aff_column columns[] = {
    { .name = "severity", .type = AFF_TEXT }, { .name = "state", .type = AFF_TEXT },
    { .name = "rule", .type = AFF_TEXT },     { .name = "place", .type = AFF_TEXT },
    { .name = "text", .type = AFF_TEXT },     { .name = "alert", .type = AFF_TEXT },
};
static const struct aff_schema alerts = { .struct_size = sizeof alerts, .type = AFF_FIELDS, .name = "alerts",
                                          .columns = columns, .count = 6, .stride = sizeof columns[0] };

static inline void mail_start(void)
{
    const char *tmp = getenv("TMPDIR"), *arguments[] = { folder, NULL };

    (void)snprintf(folder, sizeof folder, "%s/aff_mail_XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    peer_start("smtp_server.py", arguments);
}

static inline void mail_stop(void)
{
    peer_stop();
    folder_remove();
}

/* `to`: as TOML, "\"a@example.org\"". */
static inline const char *toml_for(const char *name, const char *to, const char *more)
{
    static char toml[4096];

    (void)snprintf(toml, sizeof toml, "url = \"%s://localhost:%d\"\nca = \"%s/ca.pem\"\nsender = \"node@example.org\"\nto = [%s]\n%s%s\n",
                   strcmp(name, "direct") == 0 ? "smtps" : "smtp", port_of(name), folder, to,
                   strstr(more, "batch_time") ? "" : "batch_time = \"10ms\"\n", more);
    return toml;
}

#define WARD "user = \"ward\"\npassword = \"geheim\"\n"

static inline struct aff_harness *open_to(const char *name, const char *to, const char *more)
{
    log_empty();
    return aff_harness_open("out_mail", toml_for(name, to, more));
}

static inline aff_status push(struct aff_harness *h, const char *severity, const char *text, const char *alert)
{
    uint32_t stream = aff_harness_stream(h, "bed 3", "alerts", &alerts);

    return AFF_PUSH_ROW(h, "in", stream, AFF_CELL_TEXT(severity), AFF_CELL_TEXT("raised"), AFF_CELL_TEXT("news2"),
                        AFF_CELL_TEXT("bed 3"), AFF_CELL_TEXT(text), AFF_CELL_TEXT(alert));
}

/* Until the servers got this so many times. */
static inline void expect_got(struct aff_harness *h, const char *part, size_t times)
{
    double until = seconds_now() + PATIENCE_S;

    while (count_of(got(), part) < times) {
        (void)aff_harness_ready(h, 5);
        assert_true(seconds_now() < until);
    }
}

/* Until these words are the cause why mails wait, or in the log. */
static inline void expect_said(struct aff_harness *h, const char *words)
{
    double until = seconds_now() + PATIENCE_S;

    while (!strstr(aff_harness_cause(h), words) && !aff_harness_logged(h, AFF_LOG_WARN, words)) {
        (void)aff_harness_ready(h, 5);
        assert_true(seconds_now() < until);
    }
}

/* Whatever still waits; nothing was told that nobody may know. */
static inline void leave(struct aff_harness **h)
{
    assert_int_equal(aff_harness_logged(*h, AFF_LOG_DEBUG, "@"), 0);
    assert_int_equal(aff_harness_logged(*h, AFF_LOG_DEBUG, "localhost"), 0);
    assert_int_equal(aff_harness_logged(*h, AFF_LOG_DEBUG, "geheim"), 0);
    aff_harness_close(h);
}

#endif
