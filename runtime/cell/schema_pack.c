/* schema_pack.c - a schema as bytes between two processes, both ways.
 *
 * head, columns, then the texts one behind the other with their zeros; a pointer to a
 * text is its number, counted from 1, in the order in which they stand. Unpacking
 * trusts nothing: what comes from a child is as good as what comes from a stranger.
 *
 * Not here: what a schema's identity is (flow/names). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cell/inside.h"

enum { COLUMNS_MOST = 4096, TEXT_MOST = 4096 };

struct head {
    uint8_t type, format, label, has_name;
    uint32_t count;
    uint64_t rate_num, rate_den;
    uint64_t text_bytes;
};

struct packed_column {
    double gain, baseline;
    uint8_t type, label, required, texts; /* texts: 1 name, 2 unit, 4 code */
    uint32_t reserved;
};

static const struct aff_column *column_at(const struct aff_schema *s, uint32_t i)
{
    return (const struct aff_column *)(const void *)((const char *)s->columns + (size_t)i * s->stride);
}

/* Appends a text; false: no room. */
static bool part_put(uint8_t *to, size_t room, size_t *at, const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;

    if (size > room - *at)
        return false;
    if (size > 0)
        memcpy(to + *at, text, size);
    *at += size;
    return true;
}

size_t schema_pack(const struct aff_schema *s, void *to, size_t room)
{
    struct head head = { s->type, s->format, s->label, s->name != NULL, s->count, s->rate_num, s->rate_den, 0 };
    size_t at = sizeof head + (size_t)s->count * sizeof(struct packed_column), texts = at;
    uint8_t *bytes = to;
    uint32_t i;

    if (s->count > COLUMNS_MOST || at > room || !part_put(bytes, room, &at, s->name))
        return 0;
    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = column_at(s, i);
        struct packed_column p = { c->gain, c->baseline, c->type, c->label, c->required, 0, 0 };

        p.texts = (uint8_t)((c->name ? 1 : 0) | (c->unit ? 2 : 0) | (c->code ? 4 : 0));
        memcpy(bytes + sizeof head + i * sizeof p, &p, sizeof p);
        if (!part_put(bytes, room, &at, c->name) || !part_put(bytes, room, &at, c->unit) ||
            !part_put(bytes, room, &at, c->code))
            return 0;
    }
    head.text_bytes = at - texts;
    memcpy(bytes, &head, sizeof head);
    return at;
}

/* The next text; NULL where there is none, *ok false where it does not end. */
static const char *part_take(const char **at, const char *end, bool is_there, bool *ok)
{
    const char *text = *at;
    size_t length;

    if (!is_there || !*ok)
        return NULL;
    length = strnlen(text, (size_t)(end - text));
    if (length == (size_t)(end - text) || length > TEXT_MOST) {
        *ok = false;
        return NULL;
    }
    *at = text + length + 1;
    return text;
}

static bool head_good(const struct head *h)
{
    return h->type >= AFF_BYTES && h->type <= AFF_IMAGE && h->label <= AFF_LABEL_PHI && h->format <= AFF_F32 &&
           (h->type != AFF_SAMPLES || h->format >= AFF_I16);
}

static bool column_good(const struct packed_column *p, uint8_t type)
{
    if (p->label > AFF_LABEL_PHI || !isfinite(p->gain) || !isfinite(p->baseline))
        return false;
    return type != AFF_FIELDS || (p->type >= AFF_REAL && p->type <= AFF_TEXT);
}

struct aff_schema *schema_unpack(const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    struct aff_schema *s;
    struct aff_column *columns;
    struct head head;
    const char *at, *end;
    char *texts;
    size_t fixed;
    bool ok = true;

    if (size < sizeof head)
        return NULL;
    memcpy(&head, from, sizeof head);
    fixed = sizeof head + (size_t)head.count * sizeof(struct packed_column);
    if (!head_good(&head) || head.count > COLUMNS_MOST || fixed > size || head.text_bytes != size - fixed)
        return NULL;
    s = calloc(1, sizeof *s + head.count * sizeof *columns + head.text_bytes + 1);
    if (!s)
        return NULL;
    columns = (struct aff_column *)(void *)(s + 1);
    texts = (char *)(columns + head.count);
    memcpy(texts, from + fixed, head.text_bytes);
    at = texts;
    end = texts + head.text_bytes;
    *s = (struct aff_schema){ .struct_size = sizeof *s, .type = head.type, .format = head.format, .label = head.label,
                              .columns = columns, .count = head.count, .stride = sizeof *columns,
                              .rate_num = head.rate_num, .rate_den = head.rate_den };
    s->name = part_take(&at, end, head.has_name == 1, &ok);
    for (uint32_t i = 0; i < head.count && ok; i++) {
        struct packed_column p;

        memcpy(&p, from + sizeof head + i * sizeof p, sizeof p);
        ok = column_good(&p, head.type);
        columns[i] = (struct aff_column){ .type = p.type, .label = p.label, .required = p.required,
                                          .gain = p.gain, .baseline = p.baseline };
        columns[i].name = part_take(&at, end, p.texts & 1, &ok);
        columns[i].unit = part_take(&at, end, p.texts & 2, &ok);
        columns[i].code = part_take(&at, end, p.texts & 4, &ok);
    }
    if (ok && at == end)
        return s;
    free(s);
    return NULL;
}
