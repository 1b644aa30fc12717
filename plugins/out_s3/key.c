/* key.c - see key.h. */
#include "key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "calendar/calendar.h"

/* What stands in a group where only the object says it. Values have no such bytes. */
#define MARK_TIME "\x01"
#define MARK_ID "\x02"

enum word { WORD_NONE, WORD_ID, WORD_TIME, WORD_SUBJECT, WORD_STREAM, WORD_DATE, WORD_YEAR, WORD_MONTH, WORD_DAY, WORD_HOUR,
            WORD_MINUTE, WORD_SUFFIX, WORD_COLUMN };
static const char *const words[] = { NULL,     "{id}",    "{time}", "{subject}", "{stream}", "{date}",
                                     "{year}", "{month}", "{day}",  "{hour}",    "{minute}", "{suffix}", "{column:" };

/* A piece of a template: a word, or bytes that stand for themselves. */
struct piece {
    enum word word;
    const char *at; /* of the bytes, of a column's name */
    size_t size;
};

/* Takes the next piece. False: there is none, or (word NONE, size 0) what follows is none. */
static bool piece_next(const char **template, struct piece *ret)
{
    const char *at = *template, *close;

    if (!*at)
        return false;
    *ret = (struct piece){ WORD_NONE, at, strcspn(at, "{}") };
    if (ret->size > 0) {
        *template += ret->size;
        return true;
    }
    for (int w = WORD_ID; w <= WORD_SUFFIX; w++)
        if (strncmp(at, words[w], strlen(words[w])) == 0) {
            *ret = (struct piece){ (enum word)w, at, strlen(words[w]) };
            *template += ret->size;
            return true;
        }
    close = strncmp(at, words[WORD_COLUMN], strlen(words[WORD_COLUMN])) == 0 ? strpbrk(at + 1, "{}") : NULL;
    if (!close || *close != '}' || close == at + strlen(words[WORD_COLUMN]))
        return false;
    at += strlen(words[WORD_COLUMN]);
    *ret = (struct piece){ WORD_COLUMN, at, (size_t)(close - at) };
    *template = close + 1;
    return true;
}

/* ---- what is refused ---- */

static bool is_step_bad(const char *at)
{
    size_t size = strcspn(at, "/");

    return size == 0 || (size == 1 && *at == '.') || (size == 2 && at[0] == '.' && at[1] == '.');
}

static bool is_path_bad(const char *template)
{
    for (const char *at = template; at; at = strchr(at, '/')) {
        at += *at == '/' && at != template;
        if (is_step_bad(at))
            return true;
    }
    return false;
}

static size_t length_most(const struct piece *p)
{
    if (p->word == WORD_NONE)
        return p->size;
    return p->word == WORD_SUBJECT || p->word == WORD_STREAM || p->word == WORD_COLUMN ? KEY_VALUE_MOST : 80;
}

const char *key_problem(const char *template)
{
    size_t fixed = 0, longest = 0;
    const char *at = template;
    bool has_id = false;
    struct piece p;

    for (; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || *at == '\\')
            return "has a control character or a backslash; expected a path with single slashes; take it out";
    if (!text_is_utf8(template, strlen(template)))
        return "is not UTF-8; expected UTF-8; check the file's encoding";
    for (at = template; piece_next(&at, &p);) {
        fixed += p.word == WORD_NONE ? p.size : 0;
        longest += length_most(&p);
        has_id |= p.word == WORD_ID;
    }
    if (*at)
        return "has a name in {} that is none; expected {subject}, {stream}, {date}, {year}, {month}, {day}, {hour}, {minute}, "
               "{time}, {id}, {suffix} or {column:NAME}; correct it";
    if (!has_id)
        return "has no {id}, without which objects would overwrite each other; expected one; add {id}";
    if (is_path_bad(template))
        return "begins or ends with a slash, or has two in a row or a step of points alone; expected a path with single "
               "slashes; take them out";
    if (fixed > KEY_FIXED_MOST || longest > KEY_MOST)
        return "may become longer than the 1024 bytes that a key may have; expected at most 256 bytes beside five names from "
               "data; shorten it";
    return NULL;
}

void key_columns(const char *template, void (*take)(void *self, const char *name, size_t size), void *self)
{
    struct piece p;

    while (piece_next(&template, &p))
        if (p.word == WORD_COLUMN)
            take(self, p.at, p.size);
}

/* ---- values ---- */

static bool is_plain(unsigned char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           (c == '.' && !first);
}

enum { HASH_BYTES = 16, TAIL = 2 + 2 * HASH_BYTES };

/* "!~" is of no escaped byte, since '~' is no digit. */
static void tail_write(struct text *t, const char *value, size_t size)
{
    char digits[2 * HASH_BYTES + 1];
    uint8_t hash[HASH_BYTES];

    (void)crypto_generichash(hash, sizeof hash, (const uint8_t *)value, size, NULL, 0);
    text_say(t, "!~");
    text_say(t, sodium_bin2hex(digits, sizeof digits, hash, sizeof hash));
}

static void value_write(struct text *t, const char *value, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    char out[KEY_VALUE_MOST];
    size_t used = 0, fits = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value[i];
        bool plain = is_plain(c, i == 0);

        if (used + (plain ? 1u : 3u) > sizeof out) {
            text_add(t, out, fits);
            tail_write(t, value, size);
            return;
        }
        out[used++] = plain ? (char)c : '!';
        if (!plain) {
            out[used++] = hex[c >> 4];
            out[used++] = hex[c & 15];
        }
        fits = used <= sizeof out - TAIL ? used : fits;
    }
    if (size == 0)
        text_say(t, "!empty");
    text_add(t, out, used);
}

static void number_write(struct text *t, int width, int64_t v)
{
    char digits[32];

    (void)snprintf(digits, sizeof digits, "%0*lld", width, (long long)v);
    text_say(t, digits);
}

static void date_write(struct text *t, enum word word, int64_t event_ns)
{
    struct calendar c = calendar_at(event_ns);

    switch (word) {
    case WORD_YEAR:
        number_write(t, 4, c.year);
        break;
    case WORD_MONTH:
        number_write(t, 2, c.month);
        break;
    case WORD_DAY:
        number_write(t, 2, c.day);
        break;
    case WORD_HOUR:
        number_write(t, 2, c.hour);
        break;
    case WORD_MINUTE:
        number_write(t, 2, c.minute);
        break;
    default:
        number_write(t, 4, c.year);
        text_say(t, "-");
        number_write(t, 2, c.month);
        text_say(t, "-");
        number_write(t, 2, c.day);
    }
}

/* A cell as text. */
static void cell_write(struct text *t, const struct source *from, uint32_t i, uint8_t type)
{
    const struct aff_record *r = from->record;
    uint32_t count = from->schema->count, length = 0;
    struct text cell = { 0 };
    const char *is = NULL;

    if (type == AFF_TEXT)
        is = aff_row_text(r, count, i, &length);
    else if (type == AFF_REAL)
        text_real(&cell, TEXT_JSON, aff_row_real(r, count, i));
    else if (type == AFF_BOOL)
        text_say(&cell, aff_row_int(r, count, i) ? "true" : "false");
    else if (type == AFF_TIME)
        text_time(&cell, aff_row_int(r, count, i));
    else
        text_int(&cell, aff_row_int(r, count, i));
    if (type == AFF_TEXT && !is)
        text_say(t, "!none");
    else
        value_write(t, is ? is : cell.bytes, is ? length : cell.size);
    t->failed |= cell.failed;
    text_free(&cell);
}

static void column_write(struct text *t, const struct source *from, const char *name, size_t size)
{
    uint32_t count = from->schema && from->record->type == AFF_FIELDS ? from->schema->count : 0;

    if (count > 0 && from->record->size < aff_row_size(count, 0))
        count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct aff_column c = record_column(from->schema, i);

        if (c.name && strlen(c.name) == size && memcmp(c.name, name, size) == 0 && aff_row_has(from->record, i)) {
            cell_write(t, from, i, c.type);
            return;
        }
    }
    text_say(t, "!none");
}

/* ---- groups and keys ---- */

static void suffix_write(struct text *t, const struct config *config)
{
    static const char *const formats[] = { ".ndjson", ".json", ".csv", ".bin" };
    static const char *const packs[] = { "", ".gz", ".zst", ".lz4" };

    text_say(t, formats[config->format]);
    text_say(t, packs[config->compress]);
}

void key_group(struct text *t, const struct config *config, const struct source *from)
{
    const char *at = config->object;
    struct piece p;

    while (piece_next(&at, &p)) {
        if (p.word == WORD_NONE)
            text_add(t, p.at, p.size);
        else if (p.word == WORD_ID)
            text_say(t, MARK_ID);
        else if (p.word == WORD_TIME)
            text_say(t, MARK_TIME);
        else if (p.word == WORD_SUBJECT)
            value_write(t, from->subject, strlen(from->subject));
        else if (p.word == WORD_STREAM)
            value_write(t, from->stream, strlen(from->stream));
        else if (p.word == WORD_SUFFIX)
            suffix_write(t, config);
        else if (p.word == WORD_COLUMN)
            column_write(t, from, p.at, p.size);
        else
            date_write(t, p.word, from->record->event_ns);
    }
}

/* 20260305T120000.500Z: in the order of time, and nothing that needs to be escaped. */
static void time_write(struct text *t, int64_t event_ns)
{
    struct calendar c = calendar_at(event_ns);
    char digits[80];

    (void)snprintf(digits, sizeof digits, "%04lld%02d%02dT%02d%02d%02d.%03dZ", (long long)c.year, c.month, c.day, c.hour, c.minute,
                   c.second, c.ns / 1000000);
    text_say(t, digits);
}

static void id_write(struct text *t, const struct item *items, uint32_t count)
{
    char first[ID_ROOM], digits[2 * HASH_BYTES + 1];
    uint8_t hash[HASH_BYTES];
    crypto_generichash_state state;

    record_id(items[0].id, first);
    text_say(t, first);
    if (count == 1)
        return;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (uint32_t i = 0; i < count; i++)
        (void)crypto_generichash_update(&state, (const uint8_t *)&items[i].id, sizeof items[i].id);
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    text_say(t, "-n");
    text_int(t, count);
    text_say(t, "-");
    text_say(t, sodium_bin2hex(digits, sizeof digits, hash, sizeof hash));
}

bool key_write(struct text *t, const char *group, size_t group_size, const struct item *items, uint32_t count)
{
    size_t before = t->size;

    for (size_t i = 0; i < group_size; i++) {
        if (group[i] == *MARK_ID)
            id_write(t, items, count);
        else if (group[i] == *MARK_TIME)
            time_write(t, items[0].event_ns);
        else
            text_add(t, group + i, 1);
    }
    return !t->failed && t->size - before <= KEY_MOST;
}

/* ---- whose key it is ---- */

void key_prefix(struct text *t, const struct config *config)
{
    text_add(t, config->object, strcspn(config->object, "{"));
}

/* Bytes of an {id} at the beginning of a text; 0: there is none. */
static size_t id_length(const char *at)
{
    size_t n = strspn(at, "0123456789abcdef"), digits = n == 16 && at[16] == '-' ? strspn(at + 17, "0123456789") : 0;

    if (digits == 0)
        return 0;
    n = 17 + digits;
    if (strncmp(at + n, "-n", 2) != 0)
        return n;
    digits = strspn(at + n + 2, "0123456789");
    if (digits == 0 || at[n + 2 + digits] != '-' || strspn(at + n + 3 + digits, "0123456789abcdef") < 2 * HASH_BYTES)
        return n;
    return n + 3 + digits + 2 * HASH_BYTES;
}

static size_t value_length(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~");
}

/* What follows a value is searched for from its longest end; KEY_STEPS bounds that. */
enum { KEY_STEPS = 20000 };

static bool is_match(const struct config *config, const char *template, const char *key, unsigned *steps)
{
    struct text suffix = { 0 };
    struct piece p;
    size_t most;
    bool good;

    if (++*steps > KEY_STEPS)
        return false;
    if (!*template)
        return !*key;
    if (!piece_next(&template, &p))
        return false;
    if (p.word == WORD_NONE)
        return strncmp(key, p.at, p.size) == 0 && is_match(config, template, key + p.size, steps);
    if (p.word == WORD_SUFFIX) {
        suffix_write(&suffix, config);
        good = !suffix.failed && strncmp(key, suffix.bytes, suffix.size) == 0;
        most = suffix.size;
        text_free(&suffix);
        return good && is_match(config, template, key + most, steps);
    }
    most = p.word == WORD_ID ? id_length(key) : value_length(key);
    if (p.word == WORD_ID)
        return most > 0 && is_match(config, template, key + most, steps);
    for (; most > 0; most--)
        if (is_match(config, template, key + most, steps))
            return true;
    return false;
}

bool key_is_ours(const struct config *config, const char *key)
{
    unsigned steps = 0;

    return strlen(key) <= KEY_MOST && is_match(config, config->object, key, &steps);
}
