/* SPDX-License-Identifier: Apache-2.0
 *
 * model_file.c - the model's file: its bytes and their SHA-256 (FIPS 180-4).
 *
 * The file is read whole before anything of it is looked at, so that the hash is
 * that of the model in use whatever happens to the file later. */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *model_take(const struct aff_host *host, size_t size)
{
    return host ? host->alloc(host, size) : calloc(1, size);
}

void model_give(const struct aff_host *host, void *memory)
{
    if (host)
        host->free(host, memory);
    else
        free(memory);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static aff_status cannot(struct model_fault *fault, const char *path, const char *what)
{
    (void)snprintf(fault->text, sizeof fault->text, "%s: %s; expected a model that can be read; see that it is there",
                   file_name(path), what);
    return AFF_ERR_IO;
}

/* A named pipe or device would wait for ever, or never end. */
static aff_status size_check(int fd, const char *path, size_t *ret_size, struct model_fault *fault)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return cannot(fault, path, strerror(errno));
    if (!S_ISREG(st.st_mode)) {
        (void)snprintf(fault->text, sizeof fault->text, "%s is no plain file; expected a JSON file; name one", file_name(path));
        return AFF_ERR_CONFIG;
    }
    if (st.st_size > MODEL_FILE_MAX) {
        (void)snprintf(fault->text, sizeof fault->text, "%s is larger than %d bytes; expected a model of weights; name one",
                       file_name(path), MODEL_FILE_MAX);
        return AFF_ERR_CONFIG;
    }
    *ret_size = (size_t)st.st_size;
    return AFF_OK;
}

/* Up to `size` bytes; a file that shrinks meanwhile gives fewer. */
static aff_status bytes_read(int fd, const char *path, char *to, size_t *size, struct model_fault *fault)
{
    size_t got = 0;
    ssize_t n;

    while (got < *size) {
        n = read(fd, to + got, *size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot(fault, path, strerror(errno));
        if (n == 0)
            break;
        got += (size_t)n;
    }
    *size = got;
    return AFF_OK;
}

static void hash_put(struct model *m, const char *bytes, size_t size)
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(hash, (const unsigned char *)bytes, size);
    (void)sodium_bin2hex(m->hash, sizeof m->hash, hash, sizeof hash);
}

static aff_status text_parse(const struct aff_host *host, const char *path, const char *text, size_t size,
                             struct model **ret, struct model_fault *fault)
{
    struct model_fault inner = { "" };
    aff_status st = model_parse(host, text, size, ret, &inner);

    if (st == AFF_OK)
        hash_put(*ret, text, size);
    else if (st == AFF_ERR_CONFIG)
        (void)snprintf(fault->text, sizeof fault->text, "%.80s:%.300s", file_name(path), inner.text);
    return st;
}

aff_status model_load(const struct aff_host *host, const char *path, struct model **ret, struct model_fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *text = NULL;
    size_t size = 0;
    aff_status st;

    (void)snprintf(fault->text, sizeof fault->text, "no memory for the model");
    if (fd < 0)
        return cannot(fault, path, strerror(errno));
    st = size_check(fd, path, &size, fault);
    if (st == AFF_OK) {
        text = calloc(1, size + MODEL_PADDING);
        st = text ? bytes_read(fd, path, text, &size, fault) : AFF_ERR_MEMORY;
    }
    if (st == AFF_OK)
        st = text_parse(host, path, text, size, ret, fault);
    free(text);
    (void)close(fd);
    return st;
}
