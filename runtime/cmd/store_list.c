/* store_list.c - see store_list.h.
 *
 * Of records only their number, size and age is told: what they hold is nobody's
 * business here. */
#include "cmd/store_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/verbs.h"
#include "flow/wire.h"
#include "show/age.h"
#include "show/table.h"
#include "show/when.h"
#include "util/units.h"

enum { GO_ON = -1, FIRST_ROOM = 65536 };

struct listing {
    struct shelf *shelf;
    struct store_figures figures;
    struct table table;
    struct json json;
    bool is_json;
    uint64_t letters;
    uint64_t letter_bytes;
    int64_t now_ns;
};

static const char *class_name(uint32_t priority)
{
    static const char *const names[] = { "alarm", "vitals", "waveform", "bulk" };

    return priority < sizeof names / sizeof *names ? names[priority] : "?";
}

/* ---- the oldest of a queue ---- */

/* False: it is empty, or cannot be read. */
static bool read_first(struct store *store, const struct kept_queue *q, size_t room, int64_t *ret_ns, size_t *ret_need)
{
    void *buffer = aligned_alloc(16, (room + 15) & ~(size_t)15);
    struct wire_record record;
    struct kept_read read;
    bool ok = false;

    *ret_need = 0;
    if (buffer && store_read(store, q->queue, q->first, false, buffer, room, &read, 1, ret_need) == 1)
        ok = wire_record_read(read.bytes, read.size, &record);
    if (ok)
        *ret_ns = record.record.event_ns;
    free(buffer);
    return ok;
}

static bool oldest(struct store *store, const struct kept_queue *q, int64_t *ret_ns)
{
    size_t need = 0;

    if (q->records == 0)
        return false;
    if (read_first(store, q, FIRST_ROOM, ret_ns, &need))
        return true;
    return need > FIRST_ROOM && read_first(store, q, need, ret_ns, &need);
}

/* ---- what is walked ---- */

/* Names are gathered first: a queue is read from only when no walk is under way. */
struct queue_row {
    char *name;
    uint32_t priority;
    struct kept_queue queue;
};
struct queue_rows {
    struct queue_row *rows;
    size_t count;
    bool failed;
};

static bool one_queue(void *arg, const char *name, uint32_t priority, const struct kept_queue *queue)
{
    struct queue_rows *r = arg;
    struct queue_row *rows = realloc(r->rows, (r->count + 1) * sizeof *rows);
    char *copy = strdup(name);

    if (rows)
        r->rows = rows;
    r->failed = !rows || !copy;
    if (r->failed)
        free(copy);
    else
        r->rows[r->count++] = (struct queue_row){ copy, priority, *queue };
    return !r->failed;
}

static void queue_row(struct listing *l, const struct queue_row *row)
{
    int64_t ns = 0;
    bool has = oldest(l->shelf->store, &row->queue, &ns);
    char age[AGE_ROOM] = "-";

    if (has)
        age_print(age, l->now_ns - ns);
    if (!l->is_json) {
        table_cell(&l->table, "%s", row->name);
        table_cell(&l->table, "%s", class_name(row->priority));
        table_number(&l->table, row->queue.records);
        table_number(&l->table, row->queue.bytes);
        table_cell(&l->table, "%s", age);
        return;
    }
    json_object(&l->json, NULL);
    json_text(&l->json, "queue", row->name);
    json_text(&l->json, "class", class_name(row->priority));
    json_uint(&l->json, "records", row->queue.records);
    json_uint(&l->json, "bytes", row->queue.bytes);
    if (has)
        json_int(&l->json, "oldest_age_seconds", (l->now_ns - ns) / 1000000000);
    else
        json_null(&l->json, "oldest_age_seconds");
    json_end(&l->json);
}

static bool list_queues(struct listing *l)
{
    struct queue_rows rows = { NULL, 0, false };
    bool ok = store_queues(l->shelf->store, one_queue, &rows) == STORE_OK && !rows.failed;

    for (size_t i = 0; i < rows.count; i++) {
        queue_row(l, &rows.rows[i]);
        free(rows.rows[i].name);
    }
    free(rows.rows);
    return ok;
}

static bool one_state(void *arg, const char *name, const void *bytes, size_t size)
{
    struct listing *l = arg;

    (void)bytes;
    if (l->is_json) {
        json_object(&l->json, NULL);
        json_text(&l->json, "state", name);
        json_uint(&l->json, "bytes", size);
        json_end(&l->json);
    } else {
        table_cell(&l->table, "%s", name);
        table_number(&l->table, size);
    }
    return true;
}

static bool one_letter(void *arg, uint64_t number, const void *bytes, size_t size)
{
    struct listing *l = arg;

    (void)number;
    (void)bytes;
    l->letters++;
    l->letter_bytes += size;
    return true;
}

/* ---- for programs ---- */

static void figures_json(struct listing *l)
{
    const struct store_figures *f = &l->figures;
    char when[WHEN_ROOM];

    when_print(when, f->committed_utc_ns);
    json_text(&l->json, "pipeline", l->shelf->opened.plan->name);
    json_text(&l->json, "folder", l->shelf->paths.folder);
    json_bool(&l->json, "running", l->shelf->runs);
    json_uint(&l->json, "used", f->used);
    json_uint(&l->json, "limit", f->limit);
    json_uint(&l->json, "file_bytes", f->file_bytes);
    json_uint(&l->json, "group", f->group);
    json_text(&l->json, "committed", when);
    json_uint(&l->json, "incarnation", f->incarnation);
    json_uint(&l->json, "values_lost", f->lost);
    json_uint(&l->json, "stores_set_aside", f->set_aside);
    json_bool(&l->json, "sealed", f->is_sealed);
    json_uint(&l->json, "letters", l->letters);
    json_uint(&l->json, "letter_bytes", l->letter_bytes);
}

static bool list_json(struct listing *l)
{
    bool ok;

    json_begin(&l->json, stdout, true);
    json_object(&l->json, NULL);
    figures_json(l);
    json_array(&l->json, "queues");
    ok = list_queues(l);
    json_end(&l->json);
    json_array(&l->json, "states");
    ok = store_states(l->shelf->store, one_state, l) == STORE_OK && ok;
    json_end(&l->json);
    json_end(&l->json);
    json_finish(&l->json);
    return ok;
}

/* ---- for people ---- */

static void add_amount(struct text *text, const char *before, uint64_t bytes)
{
    text_add(text, before);
    units_add_bytes(text, bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX);
}

static void figures_print(const struct listing *l)
{
    const struct store_figures *f = &l->figures;
    struct text text = { 0 };
    char when[WHEN_ROOM];

    when_print(when, f->committed_utc_ns);
    add_amount(&text, "", f->used);
    add_amount(&text, " stored of ", l->shelf->opened.plan->store_limit);
    add_amount(&text, "; ", f->file_bytes);
    text_print(&text, " on the disk in %s%s", l->shelf->paths.folder, f->is_sealed ? ", sealed" : "");
    printf("%s\n", text.data ? text.data : "");
    printf("group %" PRIu64 ", committed at %s; opened %" PRIu64 " times%s\n", f->group, when, f->incarnation,
           l->shelf->runs ? "; it runs" : "");
    printf("%" PRIu64 " dead letters\n", l->letters);
    if (f->set_aside > 0)
        printf("%" PRIu64 " damaged stores were set aside; %" PRIu64 " values could not be read\n", f->set_aside,
               f->lost);
    text_free(&text);
}

static bool queues_print(struct listing *l)
{
    static const char *const heads[] = { "queue", "class", "records", "bytes", "oldest" };
    bool ok;

    if (!table_open(&l->table, sizeof heads / sizeof *heads))
        return false;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        table_cell(&l->table, "%s", heads[i]);
    ok = list_queues(l);
    if (l->table.rows > 1) {
        putchar('\n');
        ok = table_print(&l->table, stdout) && ok;
    }
    table_close(&l->table);
    return ok;
}

static bool states_print(struct listing *l)
{
    bool ok;

    if (!table_open(&l->table, 2))
        return false;
    table_cell(&l->table, "state");
    table_cell(&l->table, "bytes");
    ok = store_states(l->shelf->store, one_state, l) == STORE_OK;
    putchar('\n');
    ok = table_print(&l->table, stdout) && ok;
    table_close(&l->table);
    return ok;
}

int store_list(struct shelf *shelf, bool json)
{
    struct listing l = { .shelf = shelf, .is_json = json };
    struct timespec now = { 0, 0 };
    int code = shelf_look(shelf);
    bool ok;

    if (code >= 0)
        return code;
    clock_gettime(CLOCK_REALTIME, &now);
    l.now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    ok = store_figures(shelf->store, &l.figures) == STORE_OK;
    ok = store_letters(shelf->store, one_letter, &l) == STORE_OK && ok;
    if (json) {
        ok = list_json(&l) && ok;
    } else {
        figures_print(&l);
        ok = queues_print(&l) && ok;
        ok = states_print(&l) && ok;
    }
    if (ok)
        return EXIT_DONE;
    fprintf(stderr, "%s: error: not all could be read; expected a whole store; see afferent store check\n",
            shelf->opened.file);
    return EXIT_ERROR;
}
