/* ask.c - questions of a child, answered while its call lasts.
 *
 * Only what needs an answer at once is asked: names, state, room. What a plugin does
 * to records waits in the area until the call is over.
 *
 * Not here: waiting (talk.c), state (mirror.c), the area's meaning (check.c). */
#include <stdlib.h>
#include <string.h>

#include "cell/inside.h"

enum {
    NAME_MOST = 4096,
    SLOT_MOST = 64 << 20, /* bytes that one call may do, beside its area */
    TEXT_SHOWN = 400
};

/* ---- memory ---- */

bool blob_fit(struct blob *blob, size_t room)
{
    size_t want = blob->room ? blob->room : 4096;
    uint8_t *more;

    if (room <= blob->room)
        return true;
    while (want < room)
        want *= 2;
    more = aligned_alloc(64, (want + 63) & ~(size_t)63);
    if (!more)
        return false;
    if (blob->size > 0)
        memcpy(more, blob->bytes, blob->size);
    free(blob->bytes);
    blob->bytes = more;
    blob->room = want;
    return true;
}

bool blob_set(struct blob *blob, const void *bytes, size_t size)
{
    blob->size = 0;
    if (!blob_fit(blob, size ? size : 1))
        return false;
    if (size > 0)
        memcpy(blob->bytes, bytes, size);
    blob->size = size;
    return true;
}

void blob_free(struct blob *blob)
{
    free(blob->bytes);
    *blob = (struct blob){ 0 };
}

bool ask_flush(struct cell *cell, uint64_t used)
{
    struct blob *to = &cell->result;

    if (used > cell->pages.area_bytes || used % PAGE_ALIGN != 0 || to->size + used > SLOT_MOST + cell->pages.area_bytes ||
        !blob_fit(to, to->size + used + 1))
        return false;
    if (used > 0)
        memcpy(to->bytes + to->size, cell->pages.area, used);
    to->size += used;
    return true;
}

/* ---- names ---- */

/* A text of the child's: ended, and of a sane length. */
static const char *text_of(struct cell *cell)
{
    uint32_t size = cell->asked.size;

    if (size == 0 || size > NAME_MOST || memchr(cell->question, '\0', size) != cell->question + size - 1)
        return NULL;
    return (const char *)cell->question;
}

static uint64_t told_hash(const char *name)
{
    return text_hash(name, strlen(name)) | 1u;
}

static bool told_room(struct told *told, uint32_t stream, uint32_t subject)
{
    uint32_t *streams = told->streams;
    uint64_t *subjects = told->subjects;

    if (stream >= told->stream_room) {
        streams = realloc(streams, (stream + 256u) * sizeof *streams);
        if (!streams)
            return false;
        memset(streams + told->stream_room, 0, (stream + 256u - told->stream_room) * sizeof *streams);
        told->streams = streams;
        told->stream_room = stream + 256u;
    }
    if (subject >= told->subject_room) {
        subjects = realloc(subjects, (subject + 256u) * sizeof *subjects);
        if (!subjects)
            return false;
        memset(subjects + told->subject_room, 0, (subject + 256u - told->subject_room) * sizeof *subjects);
        told->subjects = subjects;
        told->subject_room = subject + 256u;
    }
    return true;
}

void told_clear(struct told *told)
{
    free(told->streams);
    free(told->subjects);
    *told = (struct told){ 0 };
}

static void stream_check(struct cell *cell, uint32_t stream)
{
    struct host_page *page = cell->pages.host;
    const struct aff_stream_info *info;

    if (stream >= cell->told.stream_room || cell->told.streams[stream] == 0)
        return;
    info = cell->host->stream_info(cell->host, stream);
    if (info && cell->told.streams[stream] == info->generation + 1u)
        return;
    cell->told.streams[stream] = 0;
    page->forget[page->forget_count++] = stream;
}

static void subject_check(struct cell *cell, uint32_t subject)
{
    struct host_page *page = cell->pages.host;
    const char *name;

    if (subject >= cell->told.subject_room || cell->told.subjects[subject] == 0)
        return;
    name = cell->host->subject_name(cell->host, subject);
    if (name && cell->told.subjects[subject] == told_hash(name))
        return;
    cell->told.subjects[subject] = 0;
    page->forget[page->forget_count++] = subject | PAGE_FORGET_SUBJECT;
}

void told_check(struct cell *cell, const struct slot *slot)
{
    const struct aff_record *r;
    uint32_t i, count = slot_records(slot, &r);

    if (!cell->told.streams && !cell->told.subjects)
        return;
    for (i = 0; i < count; i++) {
        if (i == 0 || r[i].stream != r[i - 1].stream)
            stream_check(cell, r[i].stream);
        if (i == 0 || r[i].subject != r[i - 1].subject)
            subject_check(cell, r[i].subject);
    }
}

/* Text behind the answer's `at`. */
static void answer_text(struct cell *cell, uint64_t at, const char *text)
{
    size_t size = strlen(text) + 1;

    if (size > PAGE_ANSWER - at)
        size = PAGE_ANSWER - at;
    memcpy(cell->pages.answer + at, text, size - 1);
    cell->pages.answer[at + size - 1] = '\0';
    cell->pages.host->answer_bytes = at + size;
}

static void serve_stream_info(struct cell *cell)
{
    struct host_page *page = cell->pages.host;
    uint32_t stream = (uint32_t)cell->asked.a;
    const struct aff_stream_info *info = cell->asked.a <= UINT32_MAX ? cell->host->stream_info(cell->host, stream) : NULL;
    uint32_t numbers[4];

    if (!info || !told_room(&cell->told, stream, info->subject))
        return;
    numbers[0] = info->stream;
    numbers[1] = info->subject;
    numbers[2] = info->generation;
    numbers[3] = info->schema;
    memcpy(cell->pages.answer, numbers, sizeof numbers);
    answer_text(cell, sizeof numbers, info->name ? info->name : "");
    page->more = page->answer_bytes;
    answer_text(cell, page->more, info->subject_name ? info->subject_name : "");
    cell->told.streams[stream] = info->generation + 1u;
    page->result = 1;
}

static void serve_subject_name(struct cell *cell)
{
    uint32_t subject = (uint32_t)cell->asked.a;
    const char *name = cell->asked.a <= UINT32_MAX ? cell->host->subject_name(cell->host, subject) : NULL;

    if (!name || !told_room(&cell->told, 0, subject))
        return;
    answer_text(cell, 0, name);
    cell->told.subjects[subject] = told_hash(name);
    cell->pages.host->result = 1;
}

static void serve_schema_info(struct cell *cell)
{
    const struct aff_schema *s =
        cell->asked.a <= UINT32_MAX ? cell->host->schema_info(cell->host, (uint32_t)cell->asked.a) : NULL;

    if (!s)
        return;
    cell->pages.host->answer_bytes = schema_pack(s, cell->pages.answer, PAGE_ANSWER);
    cell->pages.host->result = cell->pages.host->answer_bytes > 0;
}

static bool serve_name(struct cell *cell, const char **ret_why)
{
    const struct aff_host *host = cell->host;
    const char *text = text_of(cell);

    if (!text || cell->asked.a > UINT32_MAX || cell->asked.b > UINT32_MAX) {
        *ret_why = "a name that does not end";
        return false;
    }
    if (cell->asked.kind == PAGE_ASK_SUBJECT)
        cell->pages.host->result = host->subject(host, text);
    else if (host->subject_name(host, (uint32_t)cell->asked.a))
        cell->pages.host->result = host->stream(host, (uint32_t)cell->asked.a, text, (uint32_t)cell->asked.b);
    return true;
}

static bool serve_schema(struct cell *cell, const char **ret_why)
{
    struct aff_schema *s = schema_unpack(cell->question, cell->asked.size);

    if (!s) {
        *ret_why = "a schema that is none";
        return false;
    }
    cell->pages.host->result = cell->host->schema(cell->host, s);
    free(s);
    return true;
}

/* ---- the rest ---- */

static void serve_held(struct cell *cell)
{
    struct host_page *page = cell->pages.host;
    const struct aff_record *r;
    uint64_t at = cell->asked.b, part;

    if (cell->asked.a >= cell->held_count)
        return;
    r = cell->held[cell->asked.a].record;
    if (at > r->size)
        return;
    part = r->size - at;
    if (part > PAGE_ANSWER - sizeof *r)
        part = PAGE_ANSWER - sizeof *r;
    memcpy(cell->pages.answer, r, sizeof *r);
    if (part > 0)
        memcpy(cell->pages.answer + sizeof *r, (const uint8_t *)r->data + at, part);
    page->answer_bytes = sizeof *r + part;
    page->more = cell->held[cell->asked.a].handle;
    page->result = 1;
}

static void serve_blob(struct cell *cell)
{
    uint64_t at = cell->asked.a, part;

    if (at > cell->given.size)
        return;
    part = cell->given.size - at < PAGE_ANSWER ? cell->given.size - at : PAGE_ANSWER;
    if (part > 0)
        memcpy(cell->pages.answer, cell->given.bytes + at, part);
    cell->pages.host->answer_bytes = part;
    cell->pages.host->result = 1;
}

/* What a child says is printed as text and never as a format; its lines are few. */
static void serve_log(struct cell *cell)
{
    char text[TEXT_SHOWN + 1];
    uint32_t i, size = cell->asked.size < TEXT_SHOWN ? cell->asked.size : TEXT_SHOWN;

    if (cell->logs_left == 0)
        return;
    for (i = 0; i < size && cell->question[i]; i++)
        text[i] = cell->question[i] < 0x20 || cell->question[i] == 0x7f ? '?' : (char)cell->question[i];
    text[i] = '\0';
    if (--cell->logs_left == 0)
        cell_log(cell, AFF_LOG_WARN, "logs too much; what it says in the rest of this call is left out");
    else
        cell->host->log(cell->host, cell->asked.a <= AFF_LOG_ERROR ? (int)cell->asked.a : AFF_LOG_INFO, "%s", text);
}

bool ask_serve(struct cell *cell, const char **ret_why)
{
    struct host_page *page = cell->pages.host;

    page->result = 0;
    page->more = 0;
    page->answer_bytes = 0;
    switch (cell->asked.kind) {
    case PAGE_ASK_FLUSH:
        page->result = ask_flush(cell, cell->asked.used);
        return true;
    case PAGE_ASK_SUBJECT:
    case PAGE_ASK_STREAM:
        return serve_name(cell, ret_why);
    case PAGE_ASK_SCHEMA:
        return serve_schema(cell, ret_why);
    case PAGE_ASK_STREAM_INFO:
        serve_stream_info(cell);
        return true;
    case PAGE_ASK_SUBJECT_NAME:
        serve_subject_name(cell);
        return true;
    case PAGE_ASK_SCHEMA_INFO:
        serve_schema_info(cell);
        return true;
    case PAGE_ASK_STATE_OPEN:
        return mirror_serve(cell, ret_why);
    case PAGE_ASK_STATE:
        page->result = mirror_slot(cell, cell->asked.a);
        return true;
    case PAGE_ASK_RANDOM:
        page->more = cell->host->random(cell->host);
        return true;
    case PAGE_ASK_NOW:
        page->result = cell->host->now_ns(cell->host);
        return true;
    case PAGE_ASK_UTC:
        page->utc_clock = AFF_CLOCK_NONE;
        page->result = cell->host->utc_ns(cell->host, &page->utc_clock);
        return true;
    case PAGE_ASK_LOG:
        serve_log(cell);
        return true;
    case PAGE_ASK_HELD:
        serve_held(cell);
        return true;
    case PAGE_ASK_BLOB:
        serve_blob(cell);
        return true;
    case PAGE_ASK_LINK:
        links_serve(cell);
        return true;
    default:
        *ret_why = "a question that nobody asks";
        return false;
    }
}
