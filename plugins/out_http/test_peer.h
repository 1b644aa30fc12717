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
