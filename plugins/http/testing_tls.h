/* SPDX-License-Identifier: Apache-2.0
 *
 * testing_tls.h - for tests of sinks by HTTP beside servers that must not be believed, and some
 * that may (tests/net/tls_servers.py). */
#ifndef HTTP_TESTING_TLS_H
#define HTTP_TESTING_TLS_H

#include <dirent.h>

#include "http/testing.h"

static char folder[128];

static inline const char *in_folder(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline int port_of(const char *name)
{
    char is[64];
    int port = 0, found = 0;
    FILE *f = fopen(in_folder("ports"), "r");

    assert_non_null(f);
    while (!found && fscanf(f, "%63s %d", is, &port) == 2)
        found = strcmp(is, name) == 0;
    (void)fclose(f);
    assert_true(found);
    return port;
}

static inline void folder_remove(void)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    while (d && (e = readdir(d)) != NULL)
        (void)unlink(in_folder(e->d_name));
    if (d)
        (void)closedir(d);
    (void)rmdir(folder);
}

static inline void tls_start(void)
{
    const char *tmp = getenv("TMPDIR"), *arguments[] = { folder, NULL };

    (void)snprintf(folder, sizeof folder, "%s/aff_tls_XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    peer_start("tls_servers.py", arguments);
}

static inline void tls_stop(void)
{
    peer_stop();
    folder_remove();
}

#endif
