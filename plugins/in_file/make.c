/* SPDX-License-Identifier: Apache-2.0
 *
 * make.c - bytes become host records: whose, when, under which identity.
 *
 * The event time is the line's own where `time` says where it stands; else that
 * of reading for a followed file, or a count from `start` for one that is read
 * once, so that reading it again gives the same. See reader.h. */
#include "reader.h"

#include "follow.h"
#include "once.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define SLOW_WAIT_NS (60 * INT64_C(1000000000))

const struct aff_schema file_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_BYTES,
    .label = AFF_LABEL_PHI,
    .name = "file",
};

const char *file_path(const struct reader *r, const struct file *f)
{
    if (r->once)
        return list_path(&r->once->list, r->once->index);
    return follow_path(r->follow, f);
}

aff_status file_trouble(struct reader *r, const struct file *f, aff_status st, const char *what, int error)
{
    uint32_t index = r->once ? r->once->index : f->path;
    uint32_t count = r->once ? r->once->list.count : follow_count(r->follow);
    char text[80] = "";

    if (error)
        (void)snprintf(text, sizeof text, "%s", strerrordesc_np(error) ? strerrordesc_np(error) : "error");
    if (r->follow && f->gone)
        return r->host->explain(r->host, st, "a file that was renamed or deleted: %s%s%s", what, error ? ": " : "",
                                text);
    return r->host->explain(r->host, st, "file %u of %u: %s%s%s", index + 1, count, what, error ? ": " : "", text);
}

/* Bytes of the character at `at`; 0: none. What is not UTF-8, control bytes and
 * the percent sign are written as %XX, so that two names never become one. */
static size_t utf8_length(const uint8_t *at)
{
    static const struct {
        uint8_t mask, mark, least_second;
    } heads[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x80 }, { 0xf8, 0xf0, 0x80 } };
    size_t n, i;

    if (at[0] < 0x20 || at[0] == 0x7f || at[0] == '%')
        return 0;
    for (n = 0; n < 4 && (at[0] & heads[n].mask) != heads[n].mark; n++)
        ;
    if (n == 4 || at[0] == 0xc0 || at[0] == 0xc1 || at[0] > 0xf4)
        return 0;
    for (i = 1; i <= n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
        (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n + 1;
}

/* The base name without its extension, into r->subject. */
static const char *subject_of(struct reader *r, const char *path)
{
    const char *base = strrchr(path, '/'), *dot;
    size_t length, used = 0, i = 0, n;

    if (r->config->subject)
        return r->config->subject;
    base = base ? base + 1 : path;
    dot = strrchr(base, '.');
    length = dot && dot != base ? (size_t)(dot - base) : strlen(base);
    while (i < length && used + 5 < sizeof r->subject) {
        n = utf8_length((const uint8_t *)base + i);
        if (n && i + n <= length) {
            memcpy(r->subject + used, base + i, n);
            used += n;
            i += n;
        } else {
            used += (size_t)snprintf(r->subject + used, 4, "%%%02X", (unsigned)(uint8_t)base[i++]);
        }
    }
    r->subject[used] = 0;
    return r->subject;
}

aff_status file_stream(struct reader *r, struct file *f, const char *path)
{
    if (f->stream)
        return AFF_OK;
    if (!r->schema)
        r->schema = r->host->schema(r->host, &file_schema);
    if (!r->schema)
        return AFF_ERR_MEMORY;
    f->subject = r->host->subject(r->host, subject_of(r, path));
    if (!f->subject)
        return AFF_ERR_MEMORY;
    f->stream = r->host->stream(r->host, f->subject, r->config->stream, r->schema);
    return f->stream ? AFF_OK : AFF_ERR_MEMORY;
}

/* Content, how it is cut into records, and whose it is: two files of the same
 * bytes and different names are two patients' until `subject` says otherwise. */
void content_name(struct reader *r, const uint8_t hash[HASH_BYTES], const char *path)
{
    const char *subject = subject_of(r, path);
    uint64_t whose = XXH3_64bits(subject, strlen(subject));
    uint8_t name[HASH_BYTES + sizeof r->cut_hash + sizeof whose];

    memcpy(name, hash, HASH_BYTES);
    memcpy(name + HASH_BYTES, r->cut_hash, sizeof r->cut_hash);
    memcpy(name + HASH_BYTES + sizeof r->cut_hash, &whose, sizeof whose);
    r->host->incarnation(r->host, name, sizeof name);
}

/* The time of a file's first line that has one: lines before it (a heading) take
 * it over. It is looked for in a fixed stretch, so that a file that is read in
 * other steps has the same times. False: more bytes must come first. */
static int time_first(const struct reader *r, const struct file *f, const struct piece *p, int64_t *ret_ns)
{
    size_t reach = f->p.offset < LOOKAHEAD_BYTES ? LOOKAHEAD_BYTES - (size_t)f->p.offset : 0;
    const uint8_t *at = p->at, *end, *lf;

    *ret_ns = r->start_ns;
    if (reach > p->have)
        reach = p->have;
    else if (reach == 0)
        return 1;
    for (end = at + reach; at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        if (!lf)
            break;
        if (times_line(&r->rule, at, (size_t)(lf - at) - (lf > at && lf[-1] == '\r'), NULL, ret_ns))
            return 1;
    }
    if (at < end && p->last && reach == p->have)
        (void)times_line(&r->rule, at, (size_t)(end - at), NULL, ret_ns);
    return p->last || f->p.offset + p->have >= LOOKAHEAD_BYTES;
}

struct moment {
    int64_t ns;
    uint8_t clock, untimed, has_time;
};

int64_t record_step(const struct reader *r, uint64_t count)
{
    int64_t step = r->config->every ? r->config->every : 1, ns;

    if (count > INT64_MAX || __builtin_mul_overflow((int64_t)count, step, &ns) ||
        __builtin_add_overflow(ns, r->start_ns, &ns))
        return INT64_MAX;
    return ns;
}

static int moment_find(const struct reader *r, const struct file *f, const struct piece *p, struct moment *m)
{
    memset(m, 0, sizeof *m);
    m->clock = AFF_CLOCK_RECORDED;
    if (r->config->time) {
        m->has_time = 1;
        if (times_line(&r->rule, p->at, p->cut.size, f->p.has_time ? &f->p.last_ns : NULL, &m->ns))
            return 1;
        m->untimed = 1;
        m->ns = f->p.last_ns;
        return f->p.has_time || time_first(r, f, p, &m->ns);
    }
    if (r->config->follow) {
        m->ns = r->host->utc_ns(r->host, &m->clock);
        return 1;
    }
    m->ns = record_step(r, f->p.count);
    m->clock = r->config->start ? AFF_CLOCK_RECORDED : AFF_CLOCK_NONE;
    return 1;
}

/* By event time, from the file's first record on. */
static int is_due(struct reader *r, int64_t event_ns)
{
    int64_t now;
    double wait;

    if (r->config->pace == PACE_FAST || r->follow)
        return 1;
    now = r->host->now_ns(r->host);
    if (!r->anchored) {
        r->anchored = 1;
        r->anchor_event = event_ns;
        r->anchor_boot = now;
    }
    wait = ((double)event_ns - (double)r->anchor_event) / r->config->speed - (double)(now - r->anchor_boot);
    if (wait < 1.0)
        return 1;
    if (wait > (double)SLOW_WAIT_NS && !r->slow_told) {
        r->slow_told = 1;
        r->host->log(r->host, AFF_LOG_INFO, "pace = \"realtime\": the next record is due in %.0f s", wait / 1e9);
    }
    r->host->wake_at(r->host, wait < 9e18 - (double)now ? now + (int64_t)wait : INT64_MAX);
    return 0;
}

/* A host that is being stopped has no room for a small record either. */
struct aff_record *draft_reserve(const struct reader *r, size_t size, aff_status *ret_status)
{
    struct aff_record *draft = r->host->reserve(r->host, 0, AFF_NO_INPUT, (uint32_t)size);

    *ret_status = AFF_ERR_MEMORY;
    if (draft || !r->host->reserve(r->host, 0, AFF_NO_INPUT, 0))
        return draft;
    draft = r->host->reserve(r->host, 0, AFF_NO_INPUT, (uint32_t)size);
    *ret_status = AFF_ERR_DATA;
    return draft;
}

static aff_status record_emit(struct reader *r, struct file *f, const struct piece *p, const struct moment *m)
{
    aff_status st;
    struct aff_record *draft = draft_reserve(r, p->cut.size, &st);

    if (!draft)
        return st;
    draft->event_ns = m->ns;
    draft->type = AFF_BYTES;
    draft->schema = r->schema;
    draft->subject = f->subject;
    draft->stream = f->stream;
    draft->clock = m->clock;
    draft->flags = (uint16_t)((f->p.gap ? AFF_FLAG_GAP : 0) | (f->suspect ? AFF_FLAG_SUSPECT : 0));
    if (p->cut.size)
        memcpy(draft->data, p->at, p->cut.size);
    return r->host->emit(r->host, draft, (uint32_t)p->cut.size);
}

aff_status record_make(struct reader *r, struct file *f, const struct piece *p)
{
    struct moment m;
    aff_status st;
    int error;

    if (!moment_find(r, f, p, &m) || !is_due(r, m.ns))
        return AFF_AGAIN;
    st = file_stream(r, f, file_path(r, f));
    if (st != AFF_OK)
        return st;
    if (r->follow) {
        error = head_update(f, f->p.offset + p->cut.size);
        if (error)
            return file_trouble(r, f, AFF_ERR_IO, "cannot be read", -error);
        followed_name(r, f, p->cut.size);
    }
    st = record_emit(r, f, p, &m);
    if (st != AFF_OK)
        return st;
    r->slow_told = 0;
    f->p.gap = 0;
    f->p.has_time = m.has_time;
    f->p.last_ns = m.ns;
    f->p.count++;
    f->p.offset += p->cut.taken;
    r->made++;
    r->bytes += p->cut.taken;
    if (m.untimed)
        r->host->count(r->host, METRIC_UNTIMED, 1);
    return AFF_OK;
}
