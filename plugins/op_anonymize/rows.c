/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.c - one row: each surviving column under its rule, into a row of its own.
 *
 * Nothing is copied but what a step takes, so what no rule names cannot pass.
 * Counts are added only when the row is out: one that has to wait for room is
 * offered again. */
#include <string.h>

#include "anonymize.h"
#include "value.h"

/* A text that lies in the row's head would show the cells of other columns. */
static struct text text_read(const struct aff_record *r, const struct plan *p, uint32_t column)
{
    uint64_t cell = ((const uint64_t *)r->data)[aff_row_words(p->columns_in) + column];
    uint32_t size = 0;
    const char *bytes = aff_row_text(r, p->columns_in, column, &size);

    if ((uint32_t)cell < aff_row_size(p->columns_in, 0))
        bytes = NULL;
    return (struct text){ bytes, bytes ? size : 0 };
}

/* The row's largest size, without overflow for texts that lie in one another. */
static uint64_t row_room(const struct aff_record *r, const struct plan *p)
{
    uint64_t room = aff_row_size(p->count, 0);

    for (uint32_t i = 0; i < p->count; i++) {
        const struct step *s = &p->steps[i];

        if (s->type_out == AFF_TEXT && aff_row_has(r, s->from))
            room += value_room(&s->rule, s->type_in == AFF_TEXT ? text_read(r, p, s->from).size : 0);
    }
    return room;
}

static void value_put(struct aff_row *row, uint32_t column, const struct value *v)
{
    if (v->type == AFF_TEXT)
        aff_row_put_text(row, column, v->text.bytes, (uint32_t)v->text.size);
    else if (v->type == AFF_REAL)
        aff_row_put_real(row, column, v->real);
    else
        aff_row_put_int(row, column, v->type == AFF_BOOL ? v->integer != 0 : v->integer);
}

static void value_tally(const struct anonymize *a, const struct step *s, const struct value *v, uint64_t digest[2])
{
    struct text bytes = v->text;
    uint64_t one[2];

    if (v->type == AFF_REAL)
        bytes = (struct text){ (const char *)&v->real, sizeof v->real };
    else if (v->type != AFF_TEXT)
        bytes = (struct text){ (const char *)&v->integer, sizeof v->integer };
    tally_make(one, a->secret, s->index, bytes);
    digest[0] += one[0];
    digest[1] += one[1];
}

/* 1: `value` is what the rule leaves of the cell. */
static int cell_change(const struct plan *p, const struct step *s, const struct aff_record *r,
                       const struct means *means, struct value *value, char *scratch)
{
    value->type = s->type_in;
    if (s->type_in == AFF_TEXT)
        value->text = text_read(r, p, s->from);
    else if (s->type_in == AFF_REAL)
        value->real = aff_row_real(r, p->columns_in, s->from);
    else
        value->integer = aff_row_int(r, p->columns_in, s->from);
    if (s->type_in == AFF_TEXT && !value->text.bytes)
        return 0;
    return value_change(value, means, &s->rule, s->index, scratch);
}

/* Combinations are sums of hashes, one a column: their order plays no part. */
static uint32_t row_fill(struct anonymize *a, const struct plan *p, const struct aff_record *r,
                         const struct means *means, struct aff_record *draft, uint64_t digest[2])
{
    struct aff_row row = aff_row_begin(draft, p->count);

    for (uint32_t i = 0; i < p->count; i++) {
        const struct step *s = &p->steps[i];
        char scratch[VALUE_CHARS];
        struct value value = { 0 };

        a->outcomes[i] = OUTCOME_ABSENT;
        if (!aff_row_has(r, s->from))
            continue;
        a->outcomes[i] = OUTCOME_LEFT_OUT;
        if (!cell_change(p, s, r, means, &value, scratch))
            continue;
        a->outcomes[i] = OUTCOME_DONE;
        value_put(&row, i, &value);
        if (s->is_quasi)
            value_tally(a, s, &value, digest);
    }
    return aff_row_end(&row);
}

static void row_count(struct anonymize *a, const struct plan *p, const struct aff_record *r, const uint64_t digest[2],
                      uint32_t tag)
{
    uint64_t left_out = 0, phi = 0;
    bool is_quasi = false;

    for (uint32_t i = 0; i < p->count; i++) {
        const struct step *s = &p->steps[i];
        struct column_count *c = &a->counts[s->index];

        c->done += a->outcomes[i] == OUTCOME_DONE;
        c->absent += a->outcomes[i] == OUTCOME_ABSENT;
        c->left_out += a->outcomes[i] == OUTCOME_LEFT_OUT;
        c->phi += s->is_phi && a->outcomes[i] == OUTCOME_DONE;
        left_out += a->outcomes[i] == OUTCOME_LEFT_OUT;
        phi += s->is_phi && s->rule.action == ACTION_KEEP && a->outcomes[i] == OUTCOME_DONE;
        is_quasi |= s->is_quasi;
    }
    for (uint32_t i = 0; i < p->drop_count; i++) {
        uint64_t *values = p->drops[2 * i + 1] < DROPS ? &a->drops[p->drops[2 * i + 1]].values : &a->drops_unlisted;

        *values += (uint64_t)aff_row_has(r, p->drops[2 * i]);
    }
    if (is_quasi)
        tally_add(&a->tally, digest, tag);
    a->rows++;
    a->host->count(a->host, METRIC_ROWS, 1);
    if (left_out)
        a->host->count(a->host, METRIC_LEFT_OUT, left_out);
    if (phi)
        a->host->count(a->host, METRIC_PHI, phi);
}

static aff_status row_emit(struct anonymize *a, const struct plan *p, const struct aff_record *r, uint32_t input,
                           const struct identity *who)
{
    struct means means = { a->config, a->secret, who->shift_ns };
    uint64_t digest[2] = { 0, 0 };
    struct aff_record *draft = a->host->reserve(a->host, PORT_ROWS, input, (uint32_t)row_room(r, p));
    aff_status st;

    if (!draft)
        return AFF_ERR_MEMORY;
    header_fill(a, draft, r, who);
    draft->type = AFF_FIELDS;
    draft->schema = p->schema_out;
    st = a->host->emit(a->host, draft, row_fill(a, p, r, &means, draft, digest));
    if (st == AFF_OK)
        row_count(a, p, r, digest, who->tag);
    return st;
}

aff_status row_change(struct anonymize *a, const struct aff_record *r, uint32_t input, uint8_t *ret_verdict)
{
    const struct plan *p = plan_get(a, r->schema);
    const struct identity *who;

    if (!p)
        return AFF_ERR_MEMORY;
    if (r->size < aff_row_size(p->columns_in, 0))
        return verdict_set(ret_verdict, VERDICT_BAD_RECORD);
    if (!p->count)
        return verdict_set(ret_verdict, VERDICT_NO_COLUMNS);
    if (p->misfit >= 0)
        return verdict_set(ret_verdict, VERDICT_WRONG_TYPE);
    if (row_room(r, p) > UINT32_MAX)
        return verdict_set(ret_verdict, VERDICT_BAD_RECORD);
    who = identity_get(a, r->stream, AFF_FIELDS, p->schema_out);
    p = plan_get(a, r->schema); /* the identity may have taken its place */
    if (!who || !p)
        return AFF_ERR_MEMORY;
    if (!event_fits(r, who))
        return verdict_set(ret_verdict, VERDICT_TIME_RANGE);
    *ret_verdict = VERDICT_REWRITTEN;
    return row_emit(a, p, r, input, who);
}
