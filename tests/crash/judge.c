/* judge.c - the conservation judge: what went in against what came out.
 *
 * It links nothing of the runtime, and knows nothing of epochs, queues or ledgers:
 * it reads what test sources wrote down (far.h), what test sinks wrote down, and
 * what `afferent query --format json` printed of an archive, and counts.
 *
 *     judge --made FILE [--all | --told FILE] [--whole-run PID] [--refuse K]
 *           [--within MS] [--out FILE | --archive FILE | --letters FILE] ...
 *
 * Arguments hold for those behind them: each --out, --archive and --letters is
 * judged against the last --made. One line of counts is printed; exit 1 when
 * anything was lost, invented, altered, repeated without the mark RESENT or under
 * another id, late, or is in an archive other than once; 2 where it cannot judge. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugins/far.h"

enum { FLAG_RESENT = 8, TOLD_MOST = 5 };

struct record {
    struct far_line made;
    bool is_made;
    bool must; /* has to come out */
};

struct judge {
    struct record *records; /* by key */
    uint64_t count;
    uint64_t refuse;
    uint64_t lost, invented, altered, unmarked, other_id, archive_not_once;
    uint64_t delivered, resent, letters, must;
    uint64_t within_ns; /* 0: nobody asks when */
    uint64_t late, slowest_ns, p99_ns;
    uint64_t said;
};

/* What one far end has seen of a record. */
struct seen {
    uint64_t times;
    uint64_t id_source;
    uint64_t id_seq;
    uint64_t took_ns; /* from when it was due, the first time; UINT64_MAX: nobody said */
};

static void problem(struct judge *j, uint64_t *count, const char *what, const char *file, uint64_t key)
{
    (*count)++;
    if (j->said++ < TOLD_MOST)
        fprintf(stderr, "judge: %s: record %" PRIu64 " of %s\n", what, key, file);
}

static void give_up(const char *file, const char *why)
{
    fprintf(stderr, "judge: %s: %s\n", file, why);
    exit(2);
}

/* ---- what went in ---- */

/* All lines of a file; a missing file has none. */
static struct far_line *lines_read(const char *path, uint64_t *ret_count, bool *ret_torn)
{
    FILE *file = fopen(path, "rb");
    struct far_line *lines = NULL;
    long size = 0;

    *ret_count = 0;
    *ret_torn = false;
    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET))
        give_up(path, "cannot be read");
    *ret_count = (uint64_t)size / sizeof *lines;
    *ret_torn = (uint64_t)size % sizeof *lines != 0;
    lines = malloc(*ret_count * sizeof *lines + 1u);
    if (!lines || fread(lines, sizeof *lines, *ret_count, file) != *ret_count)
        give_up(path, "cannot be read");
    (void)fclose(file);
    return lines;
}

static void read_made(struct judge *j, const char *path)
{
    uint64_t count, most = 0;
    bool torn;
    struct far_line *lines = lines_read(path, &count, &torn);

    if (torn || (!lines && count))
        give_up(path, "what was made is not whole: the test is wrong");
    for (uint64_t i = 0; i < count; i++)
        if (lines[i].magic != FAR_MAGIC || lines[i].key > UINT64_C(100000000))
            give_up(path, "is no file of what was made");
        else if (lines[i].key >= most)
            most = lines[i].key + 1;
    free(j->records);
    j->records = calloc(most + 1u, sizeof *j->records);
    j->count = most;
    if (!j->records)
        give_up(path, "there is no memory");
    for (uint64_t i = 0; i < count; i++) {
        j->records[lines[i].key].made = lines[i];
        j->records[lines[i].key].is_made = true;
    }
    free(lines);
}

static void must_all(struct judge *j)
{
    for (uint64_t i = 0; i < j->count; i++)
        j->records[i].must = j->records[i].is_made;
}

/* Of the run that ended well nothing may be missing. */
static void must_run(struct judge *j, uint32_t run)
{
    for (uint64_t i = 0; i < j->count; i++)
        if (j->records[i].is_made && j->records[i].made.run == run)
            j->records[i].must = true;
}

/* A run is told of what it made itself: what a run before had made and was not told
 * of may be lost, whatever is told later. */
static void must_upto(struct judge *j, const struct far_line *line)
{
    for (uint64_t i = 0; i < line->key && i < j->count; i++)
        if (j->records[i].is_made && j->records[i].made.run == line->run)
            j->records[i].must = true;
}

static void must_told(struct judge *j, const char *path)
{
    uint64_t count;
    bool torn;
    struct far_line *lines = lines_read(path, &count, &torn);

    for (uint64_t i = 0; i < count; i++) {
        if (lines[i].kind == FAR_UPTO)
            must_upto(j, &lines[i]);
        if (lines[i].kind == FAR_ANSWERED && lines[i].key < j->count)
            j->records[lines[i].key].must = true;
        if (lines[i].kind == FAR_ANSWERED && lines[i].key >= j->count)
            problem(j, &j->invented, "answered and never asked", path, lines[i].key);
    }
    free(lines);
}

static bool is_refused(const struct judge *j, uint64_t key)
{
    return j->refuse && key % j->refuse == j->refuse - 1u;
}

/* ---- what came out ---- */

/* The record that a line speaks of; NULL: there is none, or it is another. */
static struct record *known(struct judge *j, const struct far_line *line, const char *file)
{
    struct record *r = line->key < j->count ? &j->records[line->key] : NULL;

    if (!r || !r->is_made) {
        problem(j, &j->invented, "was never made", file, line->key);
        return NULL;
    }
    if (r->made.hash != line->hash || r->made.size != line->size || r->made.event_ns != line->event_ns ||
        r->made.stream != line->stream) {
        problem(j, &j->altered, "is not what was made", file, line->key);
        return NULL;
    }
    return r;
}

static void judge_line(struct judge *j, struct seen *seen, const struct far_line *line, const char *file)
{
    struct seen *s;

    if (!known(j, line, file))
        return;
    if ((line->kind == FAR_REFUSED) != is_refused(j, line->key))
        problem(j, &j->altered, "was refused or taken by mistake", file, line->key);
    s = &seen[line->key];
    if (line->flags & FLAG_RESENT)
        j->resent++;
    if (s->times && (s->id_source != line->id_source || s->id_seq != line->id_seq))
        problem(j, &j->other_id, "came again with another id", file, line->key);
    else if (s->times && !(line->flags & FLAG_RESENT))
        problem(j, &j->unmarked, "came again without RESENT", file, line->key);
    *s = (struct seen){ s->times + 1u, line->id_source, line->id_seq, s->times ? s->took_ns : UINT64_MAX };
}

static int by_id(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;

    if (x->id_source != y->id_source)
        return x->id_source < y->id_source ? -1 : 1;
    return x->id_seq < y->id_seq ? -1 : x->id_seq > y->id_seq;
}

/* Two records under one id are one to whoever goes by ids. */
static void judge_ids(struct judge *j, struct seen *seen, const char *file)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < j->count; i++)
        if (seen[i].times)
            seen[count++] = seen[i];
    qsort(seen, count, sizeof *seen, by_id);
    for (uint64_t i = 1; i < count; i++)
        if (by_id(&seen[i - 1], &seen[i]) == 0)
            problem(j, &j->other_id, "has the id of another", file, i);
}

/* ---- when ---- */

/* A sink's stamp: what is above it, up to the one before, was out by then. */
static void stamp_lines(const struct judge *j, struct seen *seen, const struct far_line *lines, uint64_t end)
{
    uint64_t i = end;

    for (; i > 0 && lines[i - 1u].kind != FAR_STAMP; i--) {
        uint64_t key = lines[i - 1u].key;

        if (key < j->count && seen[key].times == 1 && seen[key].took_ns == UINT64_MAX)
            seen[key].took_ns = lines[end].id_seq - j->records[key].made.id_seq;
    }
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void judge_times(struct judge *j, const struct seen *seen, const char *file)
{
    uint64_t *took = calloc(j->count + 1u, sizeof *took), count = 0;

    if (!took)
        give_up(file, "there is no memory");
    for (uint64_t i = 0; i < j->count; i++) {
        if (!seen[i].times)
            continue;
        took[count++] = seen[i].took_ns;
        if (seen[i].took_ns > j->within_ns)
            problem(j, &j->late, "was late", file, i);
    }
    qsort(took, count, sizeof *took, by_value);
    if (count && took[count - 1u] > j->slowest_ns)
        j->slowest_ns = took[count - 1u];
    if (count && took[count * 99u / 100u] > j->p99_ns)
        j->p99_ns = took[count * 99u / 100u];
    free(took);
}

static struct seen *seen_new(const struct judge *j)
{
    struct seen *seen = calloc(j->count + 1u, sizeof *seen);

    if (!seen)
        give_up("judge", "there is no memory");
    return seen;
}

static void judge_out(struct judge *j, const char *path)
{
    uint64_t count;
    bool torn;
    struct far_line *lines = lines_read(path, &count, &torn);
    struct seen *seen = seen_new(j);

    if (torn)
        problem(j, &j->altered, "a torn line", path, count);
    for (uint64_t i = 0; i < count; i++) {
        if (lines[i].magic == FAR_MAGIC && lines[i].kind == FAR_STAMP)
            stamp_lines(j, seen, lines, i);
        else if (lines[i].magic != FAR_MAGIC || (lines[i].kind != FAR_OUT && lines[i].kind != FAR_REFUSED))
            problem(j, &j->invented, "no line of a sink", path, i);
        else
            judge_line(j, seen, &lines[i], path);
    }
    for (uint64_t i = 0; i < j->count; i++) {
        j->must += j->records[i].must;
        j->delivered += seen[i].times > 0;
        if (j->records[i].must && !seen[i].times)
            problem(j, &j->lost, "did not come out", path, i);
    }
    judge_ids(j, seen, path);
    if (j->within_ns)
        judge_times(j, seen, path);
    free(seen);
    free(lines);
}

/* ---- the archive, as text ---- */

static const char *text_of(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    return at ? at + strlen(key) : NULL;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of a hex text that ends at a quotation mark; their count. */
static size_t unhex(const char *text, uint8_t *out, size_t room)
{
    size_t count = 0;

    for (; count < room && digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2)
        out[count++] = (uint8_t)(digit(text[0]) * 16 + digit(text[1]));
    return count;
}

/* Test sources make times of the first day of 1970; -1: it is another. */
static int64_t event_ns(const char *text)
{
    int64_t ns = 0, unit = 100000000;
    int hour, minute, second, used = 0;

    if (!text || sscanf(text, "1970-01-01T%2d:%2d:%2d%n", &hour, &minute, &second, &used) != 3)
        return -1;
    for (text += used + (text[used] == '.'); *text >= '0' && *text <= '9'; text++, unit /= 10)
        ns += (*text - '0') * unit;
    return ((int64_t)hour * 3600 + minute * 60 + second) * 1000000000 + ns;
}

/* A line of `afferent query` as a line of a sink. */
static bool archived(const char *text, struct far_line *ret_line, uint8_t *room, size_t bytes)
{
    const char *id = text_of(text, "\"id\":\""), *hex = text_of(text, "\"hex\":\""), *stream = text_of(text, "\"stream\":\"");
    size_t size = hex ? unhex(hex, room, bytes) : 0;
    struct far_line line = { .kind = FAR_OUT };

    if (!id || !stream || size < 8 || sscanf(id, "%16" SCNx64 "-%" SCNx64, &line.id_source, &line.id_seq) != 2)
        return false;
    memcpy(&line.key, room, 8);
    line.hash = far_hash(room, size);
    line.size = (uint32_t)size;
    line.stream = (uint32_t)far_hash(stream, strcspn(stream, "\""));
    line.event_ns = event_ns(text_of(text, "\"time\":\""));
    *ret_line = line;
    return true;
}

static void judge_archive(struct judge *j, const char *path)
{
    FILE *file = fopen(path, "r");
    struct seen *seen = seen_new(j);
    uint8_t *room = malloc(1u << 20);
    struct far_line line;
    char *text = NULL;
    size_t bytes = 0;

    if (!room)
        give_up(path, "there is no memory");
    while (file && getline(&text, &bytes, file) > 0) {
        if (!archived(text, &line, room, 1u << 20))
            problem(j, &j->invented, "no record of an archive", path, 0);
        else if (known(j, &line, path) && seen[line.key].times++)
            problem(j, &j->archive_not_once, "is archived twice", path, line.key);
        if (line.key < j->count)
            seen[line.key] = (struct seen){ seen[line.key].times, line.id_source, line.id_seq, 0 };
    }
    for (uint64_t i = 0; i < j->count; i++) {
        j->must += j->records[i].must;
        j->delivered += seen[i].times > 0;
        if (j->records[i].must && !seen[i].times) {
            problem(j, &j->lost, "is not in the archive", path, i);
            j->archive_not_once++;
        }
    }
    judge_ids(j, seen, path);
    if (file)
        (void)fclose(file);
    free(text);
    free(room);
    free(seen);
}

/* ---- dead letters: one number a line ---- */

static void judge_letters(struct judge *j, const char *path)
{
    FILE *file = fopen(path, "r");
    uint64_t *times = calloc(j->count + 1u, sizeof *times), key;

    if (!times || !file)
        give_up(path, "cannot be read");
    while (fscanf(file, "%" SCNu64, &key) == 1) {
        j->letters++;
        if (key >= j->count || !is_refused(j, key))
            problem(j, &j->invented, "a letter of what was not refused", path, key);
        else if (times[key]++)
            problem(j, &j->unmarked, "two letters", path, key);
    }
    for (uint64_t i = 0; i < j->count; i++)
        if (j->records[i].must && is_refused(j, i) && !times[i])
            problem(j, &j->lost, "was refused and is no letter", path, i);
    (void)fclose(file);
    free(times);
}

static bool argument(struct judge *j, const char *name, const char *value)
{
    if (strcmp(name, "--made") == 0)
        read_made(j, value);
    else if (strcmp(name, "--told") == 0)
        must_told(j, value);
    else if (strcmp(name, "--whole-run") == 0)
        must_run(j, (uint32_t)strtoul(value, NULL, 10));
    else if (strcmp(name, "--refuse") == 0)
        j->refuse = strtoull(value, NULL, 10);
    else if (strcmp(name, "--within") == 0)
        j->within_ns = strtoull(value, NULL, 10) * 1000000u;
    else if (strcmp(name, "--out") == 0)
        judge_out(j, value);
    else if (strcmp(name, "--archive") == 0)
        judge_archive(j, value);
    else if (strcmp(name, "--letters") == 0)
        judge_letters(j, value);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct judge j = { 0 };

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0)
            must_all(&j);
        else if (i + 1 == argc || !argument(&j, argv[i], argv[i + 1]))
            give_up(argv[i], "is no argument of the judge, or has no value");
        else
            i++;
    }
    printf("must=%" PRIu64 " delivered=%" PRIu64 " resent=%" PRIu64 " letters=%" PRIu64 " lost=%" PRIu64
           " invented=%" PRIu64 " altered=%" PRIu64 " unmarked=%" PRIu64 " other_id=%" PRIu64
           " archive_not_once=%" PRIu64 " late=%" PRIu64 " slowest_us=%" PRIu64 " p99_us=%" PRIu64 "\n",
           j.must, j.delivered, j.resent, j.letters, j.lost, j.invented, j.altered, j.unmarked, j.other_id,
           j.archive_not_once, j.late, j.slowest_ns / 1000u, j.p99_ns / 1000u);
    free(j.records);
    return j.lost || j.invented || j.altered || j.unmarked || j.other_id || j.archive_not_once || j.late;
}
