/* heads.c - what the store keeps about itself. See heads.h. */
#include "keep/heads.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char name_of_format[16] = "afferent store";

static uint8_t *put(uint8_t *to, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(number >> (8 * i));
    return to + bytes;
}

static uint64_t get(const uint8_t **from, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)(*from)[i] << (8 * i);
    *from += bytes;
    return number;
}

static bool key_make(struct heads_key *key, const void *first, size_t first_size, const char *name)
{
    size_t length = strlen(name);

    if (length > HEADS_NAME_MOST)
        return false;
    memcpy(key->bytes, first, first_size);
    memcpy(key->bytes + first_size, name, length + 1);
    key->size = first_size + length;
    return true;
}

bool heads_key(struct heads_key *ret_key, int kind, const char *name)
{
    uint8_t first = (uint8_t)kind;

    if ((kind == HEAD_QUEUE || kind == HEAD_PIECE) == (*name == '\0'))
        return false;
    return key_make(ret_key, &first, 1, name);
}

bool heads_database(struct heads_key *ret_key, const char *queue)
{
    return *queue && key_make(ret_key, HEADS_QUEUE, sizeof HEADS_QUEUE - 1, queue);
}

bool heads_node(struct heads_key *ret_key, const char *name, uint64_t number)
{
    if (!*name || !key_make(ret_key, "", 0, name))
        return false;
    heads_number_put(ret_key->bytes + ret_key->size + 1, number);
    ret_key->size += 1 + HEADS_NUMBER;
    return true;
}

void heads_number_put(uint8_t to[HEADS_NUMBER], uint64_t number)
{
    for (int i = 0; i < HEADS_NUMBER; i++)
        to[i] = (uint8_t)(number >> (56 - 8 * i));
}

uint64_t heads_number(const uint8_t from[HEADS_NUMBER])
{
    uint64_t number = 0;

    for (int i = 0; i < HEADS_NUMBER; i++)
        number = number << 8 | from[i];
    return number;
}

void heads_format_write(const struct heads_format *f, uint8_t to[HEADS_FORMAT_BYTES])
{
    memcpy(to, name_of_format, sizeof name_of_format);
    to = put(to + sizeof name_of_format, f->version, 4);
    to = put(to, f->is_sealed, 4);
    memcpy(to, f->key_id, SEAL_ID);
}

/* A later version may have put more behind its number. */
bool heads_format_read(const uint8_t *from, size_t size, struct heads_format *ret_format)
{
    struct heads_format f = { 0 };

    if (size < sizeof name_of_format + 4 || memcmp(from, name_of_format, sizeof name_of_format) != 0)
        return false;
    from += sizeof name_of_format;
    f.version = (uint32_t)get(&from, 4);
    if (f.version <= HEADS_VERSION) {
        if (size != HEADS_FORMAT_BYTES || f.version == 0)
            return false;
        f.is_sealed = get(&from, 4) != 0;
        memcpy(f.key_id, from, SEAL_ID);
    }
    *ret_format = f;
    return true;
}

void heads_store_write(const struct heads_store *s, uint8_t to[HEADS_STORE_BYTES])
{
    to = put(to, s->group, 8);
    to = put(to, s->incarnation, 8);
    to = put(to, s->letters, 8);
    to = put(to, s->lost, 8);
    to = put(to, s->set_aside, 8);
    to = put(to, s->used, 8);
    to = put(to, (uint64_t)s->utc_ns, 8);
    to = put(to, (uint64_t)s->boot_ns, 8);
    memcpy(to, s->boot_id, sizeof s->boot_id);
    to = put(to + sizeof s->boot_id, s->is_clean, 8);
    put(to, 0, 8);
}

bool heads_store_read(const uint8_t *from, size_t size, struct heads_store *ret_store)
{
    struct heads_store s = { 0 };

    if (size != HEADS_STORE_BYTES)
        return false;
    s.group = get(&from, 8);
    s.incarnation = get(&from, 8);
    s.letters = get(&from, 8);
    s.lost = get(&from, 8);
    s.set_aside = get(&from, 8);
    s.used = get(&from, 8);
    s.utc_ns = (int64_t)get(&from, 8);
    s.boot_ns = (int64_t)get(&from, 8);
    memcpy(s.boot_id, from, sizeof s.boot_id);
    from += sizeof s.boot_id;
    s.is_clean = get(&from, 8) != 0;
    *ret_store = s;
    return true;
}

void heads_queue_write(const struct heads_queue *q, uint8_t to[HEADS_QUEUE_BYTES])
{
    to = put(to, q->next, 8);
    to = put(to, q->acked, 8);
    to = put(to, q->records, 8);
    to = put(to, q->bytes, 8);
    to = put(to, q->priority, 4);
    put(to, 0, 4);
}

bool heads_queue_read(const uint8_t *from, size_t size, struct heads_queue *ret_queue)
{
    struct heads_queue q = { 0 };

    if (size != HEADS_QUEUE_BYTES)
        return false;
    q.next = get(&from, 8);
    q.acked = get(&from, 8);
    q.records = get(&from, 8);
    q.bytes = get(&from, 8);
    q.priority = (uint32_t)get(&from, 4);
    if (q.next == 0 || q.acked >= q.next)
        return false;
    *ret_queue = q;
    return true;
}

/* 36 characters, hex with dashes. Zeros where the system has none. */
static void boot_id_read(uint8_t id[16])
{
    char text[40] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC), count = 0;
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    memset(id, 0, 16);
    for (ssize_t i = 0; i < got && count < 32; i++) {
        const char *digits = "0123456789abcdef", *digit = text[i] ? strchr(digits, text[i]) : NULL;

        if (!digit)
            continue;
        id[count / 2] = (uint8_t)(id[count / 2] << 4 | (uint8_t)(digit - digits));
        count++;
    }
    if (fd >= 0)
        close(fd);
}

static int64_t clock_ns(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void heads_now(struct heads_store *store)
{
    static const uint8_t none[16];

    if (!memcmp(store->boot_id, none, sizeof none))
        boot_id_read(store->boot_id);
    store->utc_ns = clock_ns(CLOCK_REALTIME);
    store->boot_ns = clock_ns(CLOCK_BOOTTIME);
}
