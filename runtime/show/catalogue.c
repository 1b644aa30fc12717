/* catalogue.c - see catalogue.h. */
#include "show/catalogue.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show/when.h"

/* ---- lines ---- */

static void print_json(const struct catalogue *c, const struct catalogue_entry *e)
{
    struct json *json = &c->answer->json;
    char first[WHEN_ROOM], last[WHEN_ROOM];

    when_print(first, e->first_ns);
    when_print(last, e->last_ns);
    json_begin(json, c->answer->out, false);
    json_object(json, NULL);
    json_text(json, "subject", c->subject);
    json_text(json, "stream", c->stream);
    json_text(json, "schema", e->name);
    json_uint(json, "records", e->records);
    json_uint(json, "samples", e->samples);
    json_text(json, "first", first);
    json_text(json, "last", last);
    json_end(json);
    json_finish(json);
}

static void print_head(struct catalogue *c)
{
    static const char *const names[] = { "subject", "stream", "schema", "records", "samples", "first", "last" };
    const uint32_t count = sizeof names / sizeof *names;

    if (!answer_columns(c->answer, count)) {
        c->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        answer_cell(c->answer, "%s", names[i]);
    answer_line(c->answer);
}

static void print_row(struct catalogue *c, const struct catalogue_entry *e)
{
    char first[WHEN_ROOM], last[WHEN_ROOM];

    if (!c->answer->begun)
        print_head(c);
    if (c->failed)
        return;
    when_print(first, e->first_ns);
    when_print(last, e->last_ns);
    answer_cell(c->answer, "%s", c->subject);
    answer_cell(c->answer, "%s", c->stream);
    answer_cell(c->answer, "%s", e->name);
    answer_cell(c->answer, "%" PRIu64, e->records);
    answer_cell(c->answer, "%" PRIu64, e->samples);
    answer_cell(c->answer, "%s", first);
    answer_cell(c->answer, "%s", last);
    answer_line(c->answer);
}

/* Prints the stream that is over, and forgets it. */
static void leave_stream(struct catalogue *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->answer->room > 0) {
            c->answer->room--;
            if (c->answer->format == ANSWER_JSON)
                print_json(c, &c->entries[i]);
            else
                print_row(c, &c->entries[i]);
        }
        free(c->entries[i].name);
    }
    free(c->entries);
    free(c->subject);
    free(c->stream);
    c->entries = NULL;
    c->subject = c->stream = NULL;
    c->count = 0;
}

/* ---- counting ---- */

static bool enter_stream(struct catalogue *c, const struct aff_stream_info *stream)
{
    if (c->stream && strcmp(c->stream, stream->name) == 0 && strcmp(c->subject, stream->subject_name) == 0)
        return true;
    leave_stream(c);
    c->subject = strdup(stream->subject_name);
    c->stream = strdup(stream->name);
    return c->subject && c->stream;
}

static struct catalogue_entry *entry_of(struct catalogue *c, uint32_t schema, const char *name)
{
    struct catalogue_entry *more;

    for (uint32_t i = 0; i < c->count; i++)
        if (c->entries[i].schema == schema)
            return &c->entries[i];
    more = realloc(c->entries, (c->count + 1u) * sizeof *more);
    if (!more)
        return NULL;
    c->entries = more;
    more[c->count] = (struct catalogue_entry){ .schema = schema, .name = strdup(name) };
    return more[c->count].name ? &more[c->count++] : NULL;
}

void catalogue_record(struct catalogue *c, const struct aff_host *host, const struct aff_record *r)
{
    const struct aff_stream_info *stream = host->stream_info(host, r->stream);
    const struct aff_schema *schema = r->schema ? host->schema_info(host, r->schema) : NULL;
    struct catalogue_entry *e = NULL;

    if (!stream)
        return;
    if (enter_stream(c, stream))
        e = entry_of(c, r->schema, schema && schema->name ? schema->name : "");
    if (!e) {
        c->failed = true;
        return;
    }
    if (e->records == 0)
        e->first_ns = r->event_ns;
    e->records++;
    e->last_ns = r->event_ns;
    if (r->type != AFF_SAMPLES || !payload_fits(r, schema) || aff_samples_of(r)->count == 0)
        return;
    e->samples += aff_samples_of(r)->count;
    e->last_ns = sample_time(r, schema, aff_samples_of(r)->count - 1u);
}

bool catalogue_close(struct catalogue *c)
{
    leave_stream(c);
    return answer_close(c->answer) && !c->failed;
}
