/* SPDX-License-Identifier: Apache-2.0
 *
 * op_csv.c - CSV becomes rows of typed columns: the plugin.
 *
 * Records of bytes make up a text (see framing), the text rows, and a row a
 * record of the stream "X/rows", where X is the input's. A row that cannot be
 * used is a dead letter with its reason and place; the others go on. A stream's
 * header, and a row that has begun, are in the host's keeping.
 *
 * Not here: the text (rows/feed.c), rows (reader.c), headers (head.c), fields
 * (split.c), values (rows/cells.c). */
#include "reader.h"

#include <stdio.h>
#include <string.h>

static const char *const decimals[] = { ".", ",", NULL };
static const char *const ragged_ways[] = { "dead", "allow", NULL };

static const struct aff_option options[] = {
    ROWS_OPTIONS("\"64KiB\"", 1024.0 * 1024, "The longest row; each stream keeps that much for one that has begun."),
    AFF_OPT_TEXT(struct csv_config, delimiter, 0, "\",\"", "What stands between fields: one character, or \"tab\"."),
    AFF_OPT_TEXT(struct csv_config, quote, 0, "'\"'", "What stands around fields that hold delimiters; none if empty."),
    AFF_OPT_TEXT(struct csv_config, comment, 0, "\"\"", "Lines that begin with this character are passed over."),
    AFF_OPT_BOOL(struct csv_config, header, "true", "Whether the first row of a text names the columns."),
    AFF_OPT_ENUM(struct csv_config, decimal, 0, "\".\"", decimals, "What stands before the fraction of a number."),
    AFF_OPT_ENUM(struct csv_config, ragged, 0, "\"dead\"", ragged_ways,
                 "What happens to rows with fewer or more fields than there are columns: set aside (dead), or taken "
                 "with what is there (allow)."),
};

static const struct aff_port inputs[] = {
    { .name = "in", .doc = "CSV: whole lines, whole texts or pieces of one text, see framing.",
      .types = AFF_MASK(AFF_BYTES) },
};

static const struct aff_port outputs[] = {
    { .name = "rows", .doc = "A record for each row, on the stream \"X/rows\" of what came in on \"X\".",
      .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
};

static const struct aff_verdict verdicts[] = {
    ROWS_VERDICTS,
    { "bad_quote", "A quote is not closed, or text follows one that is.", AFF_V_DEAD, 0, 0 },
    { "too_few_columns", "A row has fewer fields than there are columns.", AFF_V_DEAD, 0, 0 },
    { "too_many_columns", "A row has more fields than there are columns.", AFF_V_DEAD, 0, 0 },
    { "bad_header", "The text's header cannot be used; the log says why.", AFF_V_DEAD, 0, 0 },
    { "utf16", "The text is UTF-16; it has to be UTF-8.", AFF_V_DEAD, 0, 0 },
    { "too_many_shapes", "More different headers than one node takes without declared columns.", AFF_V_DEAD, 0, 0 },
    { "no_rows", "The record holds no row.", AFF_V_DROP, 0, 0 },
};

static const struct aff_metric metrics[] = { ROWS_METRIC_TABLE };

/* What the host keeps of a stream: the head, the names of its columns only where
 * none are declared, and the feed's state; a row that has begun lies behind it.
 * Each stream of a ward costs it, so that nothing is in it for nothing. */
struct state {
    struct head *head;
    struct feed_state *feed;
};

static const struct head no_head = { .kind = HEAD_NONE };

struct csv {
    struct reader reader;
    size_t head_size;
    bool has_hinted;
};

static struct state state_of(const struct csv *c, uint32_t stream)
{
    char *state = c->reader.host->state(c->reader.host, stream);

    return (struct state){ (void *)state, (void *)(state + c->head_size) };
}

static bool character_check(const struct aff_report *report, const char *name, const char *value, bool may_be_none)
{
    int c = reader_character(value);

    if (c > 0 || (!c && may_be_none))
        return true;
    report->problem(report, name, "is not one character; expected one of ASCII%s; write %s",
                    may_be_none ? ", or nothing" : "",
                    strcmp(name, "delimiter") ? "the one that is in the text" : "it, or \"tab\" for a tabulator");
    return false;
}

static bool place_ok(const char *from)
{
    uint32_t value = 0;

    for (; *from >= '0' && *from <= '9' && value < FIELDS_MOST; from++)
        value = value * 10 + (uint32_t)(*from - '0');
    return !*from && value >= 1 && value <= FIELDS_MOST;
}

/* Without a header columns are counted. The first that is not is spoken of: where one
 * was named by a word, mostly all are. */
static bool places_check(const struct rows_config *c, const struct aff_report *report)
{
    static const char wrong[] = "is no column's number; expected one, since header = false; count the columns: "
                                "\"1\" is the first";
    char path[32];
    uint32_t i = 0;

    while (i < c->columns.count && place_ok(rows_column_from(rows_column_at(c, i))))
        i++;
    (void)snprintf(path, sizeof path, "columns[%u].from", (unsigned)i);
    if (i < c->columns.count)
        report->problem(report, path, "%s", wrong);
    else if (c->time && !place_ok(rows_word_from(c, c->time->from)))
        report->problem(report, "time.from", "%s", wrong);
    else if (*c->subject && !place_ok(rows_word_from(c, c->subject)))
        report->problem(report, "subject", "%s", wrong);
    else
        return true;
    return false;
}

static aff_status csv_validate(const void *config, const struct aff_report *report)
{
    const struct csv_config *c = config;
    bool ok = rows_validate(&c->rows, report);

    ok = character_check(report, "delimiter", c->delimiter, false) && ok;
    ok = character_check(report, "quote", c->quote, true) && ok;
    ok = character_check(report, "comment", c->comment, true) && ok;
    if (ok && (reader_character(c->quote) == reader_character(c->delimiter) ||
               reader_character(c->comment) == reader_character(c->delimiter))) {
        report->problem(report, "delimiter", "is the same character as quote or comment; expected one of its own for each; "
                                             "change one");
        ok = false;
    }
    if (!c->header)
        ok = places_check(&c->rows, report) && ok;
    return ok ? AFF_OK : AFF_ERR_CONFIG;
}

static aff_status csv_shape(const void *config, const struct aff_table *in, const struct aff_report *report)
{
    return rows_shape(config, in, report, 0);
}

static void csv_close(void *self)
{
    struct csv *c = self;
    const struct aff_host *host = c->reader.host;

    reader_close(&c->reader);
    host->free(host, c);
}

static aff_status csv_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct csv *c = host->alloc(host, sizeof *c);
    aff_status st;

    if (!c)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the reader of CSV");
    st = reader_open(&c->reader, host, config, verdicts);
    c->head_size = c->reader.rows.is_open ? sizeof(struct head) : offsetof(struct head, names);
    if (st == AFF_OK)
        st = host->state_open(host, c->head_size + feed_state_size(&c->reader.feed), 0);
    if (st < 0) {
        csv_close(c);
        return st;
    }
    *ret_self = c;
    return AFF_OK;
}

/* The head of a stream is in force, or none where each record has its own. */
static aff_status head_enter(struct csv *c, struct state s, uint32_t stream)
{
    struct reader *r = &c->reader;

    r->head = r->feed.framing == FRAMING_RECORD ? &no_head : s.head;
    r->feed.stream = stream;
    return r->head->kind == HEAD_READY ? head_schema(r, stream) : AFF_OK;
}

/* A head that this record made is kept. */
static void head_keep(const struct csv *c, struct state s)
{
    const struct reader *r = &c->reader;

    if (r->feed.framing != FRAMING_RECORD && r->head == &r->fresh)
        memcpy(s.head, &r->fresh, offsetof(struct head, names) + r->fresh.names_size);
}

/* Texts of a header and nothing else are most likely lines taken for texts. */
static void hint(struct csv *c)
{
    if (c->has_hinted || !c->reader.config->header)
        return;
    c->has_hinted = true;
    c->reader.host->log(c->reader.host, AFF_LOG_WARN, "a record has no row behind its header; if each record is one "
                        "line of a longer text, set framing = \"lines\"");
}

static aff_status record_process(struct csv *c, const struct aff_batch *batch, uint32_t input)
{
    struct feed *feed = &c->reader.feed;
    struct state s = state_of(c, batch->records[input].stream);
    aff_status st = head_enter(c, s, batch->records[input].stream);

    if (st == AFF_OK)
        st = feed_record(feed, s.feed, batch, input);
    if (st < 0)
        return st;
    head_keep(c, s);
    if (feed->framing == FRAMING_RECORD && !feed->good && !feed->bad) {
        batch->verdicts[input] = CSV_NO_ROWS;
        hint(c);
    }
    return AFF_OK;
}

static aff_status csv_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_process(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static aff_status csv_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct csv *c = self;
    struct feed *feed = &c->reader.feed;
    struct state s = state_of(c, mark->stream);
    aff_status st = head_enter(c, s, mark->stream);

    (void)port;
    if (st == AFF_OK && s.feed->kept) {
        st = feed_flush(feed, s.feed, mark->stream);
        head_keep(c, s);
    }
    if (st == AFF_OK && s.feed->has_rows)
        st = route_end(&c->reader.rows.route, mark->stream, 0, c->reader.rows.schema);
    if (st < 0)
        return st;
    memset(s.head, 0, offsetof(struct head, names));
    memset(s.feed, 0, sizeof *s.feed);
    return AFF_OK;
}

static aff_status csv_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct csv *c = self;

    return route_snapshot(&c->reader.rows.route, buffer, room, ret_size);
}

static aff_status csv_restore(void *self, const void *buffer, size_t size)
{
    struct csv *c = self;

    return route_restore(&c->reader.rows.route, buffer, size);
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_csv", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_csv",
    .version = "1.0.0",
    .summary = "Reads CSV into rows of typed columns.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct csv_config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = csv_validate,
    .open = csv_open,
    .close = csv_close,
    .process = csv_process,
    .stream_end = csv_stream_end,
    .snapshot = csv_snapshot,
    .restore = csv_restore,
    .shape = csv_shape,
};
