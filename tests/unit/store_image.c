/* store_image.c - a store with something in it, and its file as bytes. See store_image.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_image.h"

const uint8_t key_one[KIT_KEY] = "one key of thirty two bytes 1234";

void image_read(const char *path, struct image *image)
{
    struct stat st;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    image->size = (size_t)st.st_size;
    image->bytes = malloc(image->size + 1);
    assert_non_null(image->bytes);
    assert_int_equal(read(fd, image->bytes, image->size), st.st_size);
    close(fd);
}

void image_write(const char *path, const struct image *image)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, image->bytes, image->size), (ssize_t)image->size);
    close(fd);
}

void store_fill(struct kit *k)
{
    uint32_t a, b;

    assert_int_equal(kit_open(k), STORE_OK);
    a = kit_queue(k, "a").queue;
    b = kit_queue(k, "b").queue;
    for (uint64_t n = 1; n <= GROUPS; n++) {
        char text[64];

        for (uint64_t i = (n - 1) * PER_GROUP + 1; i <= n * PER_GROUP; i++) {
            kit_put(k, "a", a, i);
            if (i % 3 == 0)
                kit_put(k, "b", b, i);
        }
        snprintf(text, sizeof text, "position %llu", (unsigned long long)n);
        kept_group_add(&k->group, KEPT_STATE, 0, 0, "position", text, strlen(text));
        kept_group_add(&k->group, KEPT_STATE, 0, 0, "other", text, strlen(text));
        if (n % 8 == 0)
            kept_group_add(&k->group, KEPT_DEAD, 0, 0, NULL, "letter", 6);
        if (n > 10)
            kept_group_add(&k->group, KEPT_ACK_UPTO, a, n * 3 > ACKED ? ACKED : n * 3, NULL, NULL, 0);
        assert_int_equal(kit_commit(k), STORE_OK);
    }
    kit_close(k);
}

uint64_t position_check(struct kit *k, const char *name)
{
    void *bytes = NULL;
    char text[64] = "";
    uint64_t n = 0;
    size_t size;
    enum store_status status = store_state(k->store, name, &bytes, &size);

    if (status == STORE_OK) {
        assert_true(size < sizeof text);
        memcpy(text, bytes, size);
        assert_int_equal(strncmp(text, "position ", 9), 0);
        n = strtoull(text + 9, NULL, 10);
        assert_true(n >= 1 && n <= GROUPS);
    } else {
        assert_true(status == STORE_NONE || status == STORE_BAD);
    }
    free(bytes);
    return n;
}
