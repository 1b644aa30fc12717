/* fuzz_rescue.c - any bytes as the file of a store: what is good is carried over.
 *
 * Twice: as they are, and with the check of everything that looks like a value made
 * right, so that what stands behind a check is reached. Either way the walk comes
 * to an end, and what is made anew is whole. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/pages.h"
#include "keep/store_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing here has to last. */
__attribute__((visibility("default"))) int fsync(int fd);
__attribute__((visibility("default"))) int fdatasync(int fd);

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static void checks_mend(uint8_t *bytes, size_t size)
{
    const struct seal plain = { 0 };
    struct value value;
    uint8_t *payload;

    for (size_t at = 0; at < size; at++) {
        if (!value_look(bytes + at, size - at, &value) || value.is_sealed)
            continue;
        payload = malloc(value.size + 1);
        if (!payload)
            abort();
        memcpy(payload, value.body + 8, value.size);
        value_write(&plain, &value.place, value.group, payload, value.size, bytes + at);
        free(payload);
        at += value.whole - 1;
    }
}

static void file_write(const char *path, const uint8_t *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    close(fd);
}

static void made_check(const char *path)
{
    struct pages pages;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || !pages_open(fd, &pages))
        abort();
    if (!pages_walk(&pages, false, NULL))
        abort();
    pages_close(&pages);
    close(fd);
}

static void bytes_rescue(const uint8_t *bytes, size_t size)
{
    static struct rescued r;

    memset(&r, 0, sizeof r);
    r.limit = 1 << 20;
    snprintf(r.folder, sizeof r.folder, ".");
    snprintf(r.file, sizeof r.file, "rescue-input");
    file_write(r.file, bytes, size);
    rescue_here(&r);
    if (r.status == STORE_OK)
        made_check("store.new/" HEADS_DATA);
    else if (r.status != STORE_KEY && r.status != STORE_NEWER)
        abort();
    fresh_remove(r.folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    bytes_rescue(copy, size);
    checks_mend(copy, size);
    bytes_rescue(copy, size);
    free(copy);
    return 0;
}
