/* store_kit.c - what the tests of the store share. See store_kit.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_kit.h"

enum { ROOM = 1 << 16, MOST = 64 };

static void kit_log(void *arg, int level, const char *text)
{
    struct kit *kit = arg;

    (void)level;
    snprintf(kit->log, sizeof kit->log, "%s", text);
}

void kit_begin(struct kit *kit)
{
    const char *base = getenv("TMPDIR");

    *kit = (struct kit){ .limit = UINT64_C(16) << 20 };
    snprintf(kit->folder, sizeof kit->folder, "%s/aff-store-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(kit->folder));
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

void kit_folder_remove(const char *folder)
{
    nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

void kit_end(struct kit *kit)
{
    kit_close(kit);
    kept_group_free(&kit->group);
    kit_folder_remove(kit->folder);
}

enum store_status kit_open(struct kit *kit)
{
    struct store_options options = { .folder = kit->folder, .limit = kit->limit, .key = kit->key,
                                     .read_only = kit->read_only, .acks_wait = kit->acks_wait,
                                     .log = kit_log, .arg = kit };

    kit->why[0] = '\0';
    return store_open(&options, &kit->store, kit->why, sizeof kit->why);
}

void kit_close(struct kit *kit)
{
    store_close(&kit->store);
}

void kit_path(const struct kit *kit, const char *name, char path[KIT_PATH])
{
    assert_true(snprintf(path, KIT_PATH, "%.400s/%s", kit->folder, name) < KIT_PATH);
}

struct kept_queue kit_queue(struct kit *kit, const char *name)
{
    struct kept_queue queue = { 0 };

    assert_int_equal(store_queue(kit->store, name, 1, &queue), STORE_OK);
    return queue;
}

/* Most are small, some lie on pages of their own. */
size_t kit_record_size(uint64_t seq)
{
    return seq % 17 == 0 ? 3000 + (size_t)(seq % 9000) : (size_t)(seq * 37 % 700);
}

uint64_t kit_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void kit_record(const char *name, uint64_t seq, uint8_t *bytes)
{
    size_t size = kit_record_size(seq);
    uint64_t state = seq * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)name[0] + 1;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i % 8 ? state >> (8 * (i % 8)) : kit_random(&state));
}

bool kit_record_is(const char *name, uint64_t seq, const void *bytes, size_t size)
{
    uint8_t want[16384];

    if (size != kit_record_size(seq))
        return false;
    kit_record(name, seq, want);
    return size == 0 || !memcmp(want, bytes, size);
}

void kit_put(struct kit *kit, const char *name, uint32_t queue, uint64_t seq)
{
    uint8_t bytes[16384];

    kit_record(name, seq, bytes);
    kept_group_add(&kit->group, KEPT_PUT, queue, seq, NULL, bytes, kit_record_size(seq));
}

enum store_status kit_commit(struct kit *kit)
{
    enum store_status status = store_commit(kit->store, &kit->group);

    if (status == STORE_OK)
        kept_group_clear(&kit->group);
    return status;
}

uint64_t kit_read_all(struct kit *kit, const char *name, uint32_t queue, uint64_t *ret_first, uint64_t *ret_last)
{
    uint8_t *buffer = aligned_alloc(16, ROOM);
    struct kept_read reads[MOST];
    uint64_t from = 0, all = 0;
    uint32_t count;
    size_t need;

    assert_non_null(buffer);
    *ret_first = *ret_last = 0;
    while ((count = store_read(kit->store, queue, from, false, buffer, ROOM, reads, MOST, &need)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            assert_true(reads[i].seq >= from);
            assert_int_equal((uintptr_t)reads[i].bytes % 16, 0);
            assert_true(kit_record_is(name, reads[i].seq, reads[i].bytes, reads[i].size));
            from = reads[i].seq + 1;
        }
        if (all == 0)
            *ret_first = reads[0].seq;
        *ret_last = from - 1;
        all += count;
    }
    free(buffer);
    return all;
}

bool kit_state_is(struct kit *kit, const char *name, const char *text)
{
    void *bytes = NULL;
    size_t size = 0;
    enum store_status status = store_state(kit->store, name, &bytes, &size);
    bool is_it = text ? status == STORE_OK && size == strlen(text) && !memcmp(bytes, text, size)
                      : status == STORE_NONE;

    free(bytes);
    return is_it;
}

static int files_each(const struct kit *kit, const char *prefix, bool is_over)
{
    DIR *folder = opendir(kit->folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        count++;
        if (is_over)
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    return count;
}

int kit_files(const struct kit *kit, const char *prefix)
{
    return files_each(kit, prefix, false);
}

void kit_files_remove(const struct kit *kit, const char *prefix)
{
    files_each(kit, prefix, true);
}
