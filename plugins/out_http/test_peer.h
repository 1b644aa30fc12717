/* test_peer.h - out_http beside a server of tests/net. */
#ifndef OUT_HTTP_TEST_PEER_H
#define OUT_HTTP_TEST_PEER_H

#include "http/testing.h"

/* Requests to this path. */
static inline size_t requests_to(const char *path)
{
    char part[256];

    (void)snprintf(part, sizeof part, "\"path\": \"/%s\"", path);
    return count_of(got(), part);
}

/* Keys that they had, each counted once. */
static inline size_t keys_of(const char *path)
{
    static const char name[] = "\"idempotency-key\": \"\\\"";
    char part[256], key[128], until[160];
    size_t n = 0;

    (void)snprintf(part, sizeof part, "\"path\": \"/%s\"", path);
    (void)got();
    for (const char *line = got_text; (line = strstr(line, part)) != NULL; line++) {
        const char *at = strstr(line, name);

        assert_non_null(at);
        (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(at + strlen(name), "\\"), at + strlen(name));
        (void)snprintf(until, sizeof until, "%s%s\\", name, key);
        n += strstr(at + 1, until) == NULL; /* its last */
    }
    return n;
}

static inline const char *toml_for(const char *path, const char *more)
{
    static char toml[4096];

    (void)snprintf(toml, sizeof toml, "url = \"http://127.0.0.1:%d/%s\"\n%s%s\n", peer.port, path,
                   strstr(more, "batch_time") ? "" : "batch_time = \"20ms\"\n", more);
    return toml;
}

static inline struct aff_harness *open_to(const char *path, const char *more)
{
    log_empty();
    return aff_harness_open("out_http", toml_for(path, more));
}

#endif
