/* SPDX-License-Identifier: Apache-2.0
 *
 * identity.c - who a record is of, and which stream it is on, outside.
 *
 * A subject is known by its pseudonym of the kind "subject". A stream has the
 * name that the option `streams` gives it, or one made with the key. With
 * subject = "drop" all are "anonymous": rows of one name then share a stream,
 * so that nothing joins them any more; samples keep a stream each, whose name
 * has the subject hashed into it, because signals cannot be mixed.
 *
 * The table is a cache: each line is made anew from key and names when its place
 * was taken by another stream. */
#include "anonymize.h"

#include <stdio.h>
#include <string.h>

#include "dates.h"

static const char anonymous[] = "anonymous";

enum { STREAM_NAME_MOST = KIND_MOST + 1 + STREAM_CHARS + 1 };

bool stream_is_shared(const struct anonymize *a, uint8_t type)
{
    return a->config->subject == SUBJECT_DROP && type == AFF_FIELDS;
}

static const char *name_given(const struct anonymize *a, const char *name)
{
    for (uint32_t i = 0; i < a->config->streams.count; i++) {
        const struct text_config *s = list_at(&a->config->streams, i);

        if (strcmp(s->key, name) == 0)
            return s->text;
    }
    return NULL;
}

static void stream_name(const struct anonymize *a, const struct aff_stream_info *in, uint8_t type,
                        char text[STREAM_NAME_MOST])
{
    const char *given = name_given(a, in->name);
    bool apart = a->config->subject == SUBJECT_DROP && type != AFF_FIELDS;
    char made[STREAM_CHARS + 1] = "";

    if (given && !apart) {
        (void)snprintf(text, STREAM_NAME_MOST, "%s", given);
        return;
    }
    stream_make(made, a->secret, apart ? in->subject_name : "", in->name);
    made[STREAM_CHARS] = 0;
    (void)snprintf(text, STREAM_NAME_MOST, "%s%s%s", given ? given : "", given ? "-" : "", made);
}

static uint32_t subject_number(const struct anonymize *a, const struct aff_stream_info *in)
{
    char name[PSEUDONYM_CHARS + 1];

    if (a->config->subject == SUBJECT_DROP)
        return a->host->subject(a->host, anonymous);
    pseudonym_make(name, a->secret, a->secret->subject,
                   (struct text){ in->subject_name, strlen(in->subject_name) });
    name[PSEUDONYM_CHARS] = 0;
    return a->host->subject(a->host, name);
}

/* Back, so that nothing lies in the future; by whole days, so that the time of
 * day stays, or by whole weeks where the day of the week is wanted as well.
 * Shifted dates are not those of Safe Harbor: 45 CFR 164.514(b)(2)(i)(C) wants
 * all of a date but its year removed, for which there is floor = "year". They
 * are a means of its other way, (b)(1), by an expert's determination. */
static int64_t shift_of(const struct anonymize *a, const char *subject)
{
    int64_t step = a->config->shift_step == STEP_WEEK ? 7 * DAY_NS : DAY_NS;

    return -(int64_t)shift_make(a->secret, subject, (uint64_t)(a->config->shift_most / step)) * step;
}

static bool identity_make(struct anonymize *a, struct identity *who, const struct aff_stream_info *in, uint8_t type,
                          uint32_t schema_out)
{
    const struct plan *first = plan_get(a, in->schema);
    char name[STREAM_NAME_MOST];

    if (first && first->schema_out)
        schema_out = first->schema_out;
    if (!schema_out)
        return false;
    who->subject = subject_number(a, in);
    if (!who->subject)
        return false;
    stream_name(a, in, type, name);
    who->stream = a->host->stream(a->host, who->subject, name, schema_out);
    if (!who->stream)
        return false;
    who->shift_ns = a->config->times == TIMES_SHIFT ? shift_of(a, in->subject_name) : 0;
    who->tag = tag_make(a->secret, in->subject_name);
    who->stream_in = in->stream;
    who->generation = in->generation;
    return true;
}

const struct identity *identity_get(struct anonymize *a, uint32_t stream, uint8_t type, uint32_t schema_out)
{
    const struct aff_stream_info *in = a->host->stream_info(a->host, stream);
    struct identity *who = &a->identities[stream & (STREAMS_KEPT - 1)];

    if (!in)
        return NULL;
    if (who->stream && who->stream_in == stream && who->generation == in->generation)
        return who;
    who->stream = 0;
    if (identity_make(a, who, in, type, schema_out))
        return who;
    who->stream = 0;
    return NULL;
}

bool event_fits(const struct aff_record *r, const struct identity *who)
{
    int64_t moved;

    return !__builtin_add_overflow(r->event_ns, who->shift_ns, &moved);
}

void header_fill(const struct anonymize *a, struct aff_record *draft, const struct aff_record *r,
                 const struct identity *who)
{
    draft->id = id_make(a->secret, r->id);
    draft->event_ns = r->event_ns + who->shift_ns; /* event_fits said that it does */
    draft->subject = who->subject;
    draft->stream = who->stream;
    draft->flags = r->flags & (AFF_FLAG_GAP | AFF_FLAG_SUSPECT);
    draft->clock = r->clock;
}
