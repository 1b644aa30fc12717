/* check.c - what a child says that it did: every word of it is looked at.
 *
 * The result lies in the host's own memory by now. One bad value, and nothing of the
 * call is done: the words returned here end the child. What is not looked at is what
 * a thread may do as well: the content of payloads, beyond that rows and samples are
 * as long as they say, since whoever reads them relies on that.
 *
 * Not here: doing it (book.c). */
#include <string.h>

#include "cell/inside.h"

#define TIME_MOST ((int64_t)1 << 62)
enum { INCARNATION_MOST = 4096, BLOB_MOST = 64 << 20 };

struct check {
    struct cell *cell;
    struct slot *slot;
    uint32_t last_input; /* of the emits so far */
    uint32_t holding;    /* records held as of here */
    uint32_t emits[PAGE_BATCH];
    uint32_t holds[PAGE_BATCH];
    uint32_t edits;      /* the next input to be edited */
    uint64_t snap;       /* bytes of the snapshot so far */
};

/* ---- records ---- */

void entry_record(const struct cell *cell, const struct slot *slot, const struct entry *e, struct aff_record *ret)
{
    const unsigned flags = page_flags(&cell->plugin->about);
    const struct aff_record *base = NULL;

    if (slot->call == PAGE_CALL_BATCH && e->input != AFF_NO_INPUT)
        base = &slot->records[e->input];
    else if (slot->call == PAGE_CALL_STREAM_END)
        base = slot->records;
    else if (slot->due)
        base = slot->due;
    *ret = base ? *base : (struct aff_record){ .size = 0 };
    ret->flags = (uint16_t)(ret->flags & ~(unsigned)(AFF_FLAG_END | AFF_FLAG_GAP));
    if (cell->port_schemas[e->port])
        ret->schema = cell->port_schemas[e->port];
    ret->size = e->size;
    if (e->set & SET_EVENT)
        ret->event_ns = e->event_ns;
    if (e->set & SET_CLOCK)
        ret->clock = e->clock;
    if (e->set & SET_SCHEMA)
        ret->schema = e->schema;
    if (e->set & SET_SUBJECT)
        ret->subject = e->subject;
    if (e->set & SET_STREAM)
        ret->stream = e->stream;
    if (e->set & SET_FLAGS)
        ret->flags = (uint16_t)((ret->flags & ~flags) | (e->flags & flags));
    if (e->set & SET_ID)
        ret->id = (struct aff_id){ e->a, e->b };
}

static const char *row_check(const struct aff_record *r, const struct aff_schema *s)
{
    const struct aff_column *columns = s->columns;
    uint32_t i, length, fixed = aff_row_size(s->count, 0);

    if (r->size < fixed)
        return "a row that is shorter than its columns";
    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = (const struct aff_column *)(const void *)((const char *)columns + (size_t)i * s->stride);

        if (c->type == AFF_TEXT && aff_row_has(r, i) && !aff_row_text(r, s->count, i, &length))
            return "a row with a text that lies outside of it";
    }
    return NULL;
}

static const char *samples_check(const struct aff_record *r, const struct aff_schema *s)
{
    const struct aff_samples *head = r->data;

    if (!aff_samples_ok(r->data, r->size))
        return "samples that are fewer than they say";
    if ((s->count > 0 && head->channels != s->count) || (s->format && head->format != s->format))
        return "samples that are not those of their schema";
    return NULL;
}

/* `data` is aligned: entries are. */
static const char *payload_check(const struct cell *cell, const struct aff_record *record, const void *data)
{
    const struct aff_schema *s = cell->host->schema_info(cell->host, record->schema);
    struct aff_record r = *record;

    r.data = (void *)(uintptr_t)data;
    if (!s)
        return "a schema that is not known";
    if (s->type == AFF_FIELDS)
        return row_check(&r, s);
    return s->type == AFF_SAMPLES ? samples_check(&r, s) : NULL;
}

static const char *identity_check(const struct check *c, const struct entry *e, const struct aff_record *r)
{
    const struct cell *cell = c->cell;
    const struct aff_stream_info *info = cell->host->stream_info(cell->host, r->stream);

    if (!info)
        return "a record of a stream that is not known";
    if (info->subject != r->subject)
        return "a record of another subject than its stream";
    if (r->clock > AFF_CLOCK_SYNCED || r->event_ns > TIME_MOST || r->event_ns < -TIME_MOST)
        return "a record with a time that is none";
    if (!(cell->plugin->about.flags & (AFF_REWRITES | AFF_KEEPS_IDS)))
        return NULL;
    if (!(e->set & SET_ID) || (r->id.source | r->id.seq) == 0)
        return "a record without an id of its own";
    if (cell->plugin->about.flags & AFF_REWRITES && c->slot->call == PAGE_CALL_BATCH && e->input != AFF_NO_INPUT &&
        (r->id.source == c->slot->records[e->input].id.source || r->id.seq == c->slot->records[e->input].id.seq))
        return "a record with the id of its input";
    return NULL;
}

static bool may_emit(const struct slot *slot)
{
    switch (slot->call) {
    case PAGE_CALL_START:
    case PAGE_CALL_READ:
    case PAGE_CALL_BATCH:
    case PAGE_CALL_WAKE:
    case PAGE_CALL_STREAM_END:
    case PAGE_CALL_DRAIN:
    case PAGE_CALL_TIMER:
    case PAGE_CALL_FLUSH:
        return true;
    default:
        return false;
    }
}

static bool is_input(const struct check *c, uint32_t input)
{
    return c->slot->call == PAGE_CALL_BATCH && input < c->slot->count;
}

static const char *emit_check(struct check *c, const struct entry *e)
{
    const struct cell *cell = c->cell;
    struct aff_record r;
    const char *why;

    if (!may_emit(c->slot) || e->port >= cell->plugin->output_count)
        return "a record on an output that it does not have, or out of turn";
    if (e->input != AFF_NO_INPUT && (!is_input(c, e->input) || e->input < c->last_input))
        return "a record for an input that is not there, or out of order";
    if (e->size > cell->options.max_payload || (e->set & ~(uint32_t)SET_ALL))
        return "a record that is too large";
    entry_record(cell, c->slot, e, &r);
    why = identity_check(c, e, &r);
    if (!why)
        why = payload_check(cell, &r, e + 1);
    if (why || e->input == AFF_NO_INPUT)
        return why;
    c->last_input = e->input;
    c->emits[e->input]++;
    return NULL;
}

static const char *edit_check(struct check *c, const struct entry *e)
{
    const struct aff_record *r;

    if (!is_input(c, e->input) || e->input < c->edits ||
        !(c->cell->plugin->inputs[c->slot->port].flags & AFF_PORT_EDITS))
        return "bytes for an input that it may not edit";
    r = &c->slot->records[e->input];
    if (e->size != r->size)
        return "an edited record of another size";
    c->edits = e->input + 1;
    return e->size > 0 ? payload_check(c->cell, r, e + 1) : NULL;
}

/* ---- verdicts, holds ---- */

static uint32_t kind_of(const struct cell *cell, uint8_t verdict)
{
    return verdict ? cell->plugin->verdicts[verdict - 1].kind : 0;
}

static const char *verdicts_check(const struct check *c)
{
    uint32_t i, kind;

    for (i = 0; i < c->slot->taken; i++) {
        uint8_t v = c->cell->done.verdicts[i];

        if (v > c->cell->plugin->verdict_count)
            return "a verdict that is not in its table";
        kind = kind_of(c->cell, v);
        if (kind == AFF_V_REPLACE && c->emits[i] != 1)
            return "the verdict replace with other than one record";
        if (c->holds[i] != (kind == AFF_V_HOLD))
            return "a record that is held by a call or a verdict alone";
    }
    for (; i < c->slot->count && c->slot->call == PAGE_CALL_BATCH; i++)
        if (c->holds[i])
            return "a record that is held and not taken";
    return NULL;
}

static const char *hold_check(struct check *c, const struct entry *e)
{
    struct cell *cell = c->cell;
    uint64_t last = cell->held_count ? cell->held[cell->held_count - 1].handle : 0;

    if (!is_input(c, e->input) || c->holds[e->input])
        return "a hold of what is not there";
    if (e->a <= last || e->a <= cell->handle_next || c->holding >= cell->options.max_held || !held_add(cell, e->a))
        return "a hold beyond max_held, or under a number that was used";
    c->holds[e->input] = 1;
    c->holding++;
    return NULL;
}

static const char *release_check(struct check *c, const struct entry *e)
{
    struct held *h = held_find(c->cell, e->a);
    uint32_t kind;

    if (!h || h->leaves || e->port > c->cell->plugin->verdict_count)
        return "a release of what is not held";
    kind = kind_of(c->cell, (uint8_t)e->port);
    if (kind == AFF_V_HOLD || kind == AFF_V_REPLACE)
        return "a release by a verdict that ends no hold";
    h->leaves = true;
    c->holding--;
    return NULL;
}

/* ---- the rest ---- */

static const char *dead_check(const struct check *c, const struct entry *e)
{
    if (!may_emit(c->slot) || (e->input != AFF_NO_INPUT && !is_input(c, e->input)))
        return "a part set aside of what is not there";
    if (e->port == 0 || e->port > c->cell->plugin->verdict_count || kind_of(c->cell, (uint8_t)e->port) != AFF_V_DEAD)
        return "a part set aside for a reason that is not in its table";
    return NULL;
}

static const char *mark_check(const struct check *c, const struct entry *e)
{
    if (!may_emit(c->slot) || e->port >= c->cell->plugin->output_count ||
        !c->cell->host->stream_info(c->cell->host, e->stream))
        return "the end of a stream that is not known";
    if (c->slot->call == PAGE_CALL_STREAM_END && c->slot->records->stream == e->stream)
        return "the end of a stream that it did not begin";
    return NULL;
}

static const char *timer_check(const struct check *c, const struct entry *e)
{
    if (!c->cell->plugin->about.timer || !c->cell->host->subject_name(c->cell->host, e->subject))
        return "a timer for a subject that is not known, or without the callback";
    if (c->slot->due && c->slot->due->subject == e->subject && e->event_ns <= c->slot->due->event_ns)
        return "a timer for a time that is not later than its own";
    return NULL;
}

static const char *snap_check(struct check *c, const struct entry *e)
{
    if (e->a != c->snap || e->b > BLOB_MOST || e->size > e->b - e->a)
        return "a snapshot whose parts don't fit";
    c->snap += e->size;
    return NULL;
}

static const char *entry_check(struct check *c, const struct entry *e)
{
    bool is_source = c->cell->plugin->about.kind == AFF_SOURCE;

    switch (e->kind) {
    case ENTRY_EMIT:
        return emit_check(c, e);
    case ENTRY_EDIT:
        return edit_check(c, e);
    case ENTRY_MARK:
        return mark_check(c, e);
    case ENTRY_HOLD:
        return hold_check(c, e);
    case ENTRY_RELEASE:
        return release_check(c, e);
    case ENTRY_DEAD:
        return dead_check(c, e);
    case ENTRY_INCARNATION:
        return is_source && e->size <= INCARNATION_MOST ? NULL : "an incarnation of what is no source, or too long";
    case ENTRY_TIMER:
        return timer_check(c, e);
    case ENTRY_CUT:
        return is_source ? NULL : "a cut of what is no source";
    case ENTRY_COUNT:
    case ENTRY_GAUGE:
        return e->port < c->cell->plugin->metric_count ? NULL : "a metric that is not in its table";
    case ENTRY_SNAP:
        return snap_check(c, e);
    case ENTRY_WATCH:
        return wakes_check(e);
    case ENTRY_LINK:
        return links_check(c->slot, e);
    case ENTRY_SKIP:
    case ENTRY_WAKE:
    case ENTRY_TOUCH:
        return NULL;
    default:
        return "an entry of no kind";
    }
}

static const char *status_check(const struct check *c)
{
    const struct slot *s = c->slot;

    if (s->status > AFF_END || s->status < AFF_ERR_BUG)
        return "a status that is none";
    if (s->call != PAGE_CALL_BATCH)
        return NULL;
    if (s->status == AFF_END)
        return "the end, where there is none";
    if (s->status == AFF_OK ? s->taken != s->count : s->taken >= s->count)
        return "more records taken than were given, or a status for none";
    return NULL;
}

static const char *entries_check(struct check *c)
{
    const uint8_t *at = c->cell->result.bytes, *end = at + c->cell->result.size;
    const char *why = NULL;

    while (at < end && !why) {
        const struct entry *e = (const struct entry *)(const void *)at;
        uint64_t left = (uint64_t)(end - at);

        if (left < sizeof *e || e->span > left || e->span % PAGE_ALIGN != 0 || e->span < sizeof *e ||
            e->size > e->span - sizeof *e)
            return "an entry with a length that is none";
        why = entry_check(c, e);
        at += e->span;
    }
    return why;
}

const char *check_result(struct cell *cell, struct slot *slot)
{
    struct check c = { .cell = cell, .slot = slot, .holding = cell->held_count };
    const char *why;

    slot->status = cell->done.status;
    slot->taken = slot->call != PAGE_CALL_BATCH ? 0 : slot->status == AFF_OK ? slot->count : cell->done.taken;
    why = status_check(&c);
    if (!why)
        why = entries_check(&c);
    if (!why)
        why = verdicts_check(&c);
    if (why)
        held_undo(cell);
    return why;
}
