/* dlq_look.c - `afferent dlq ls` and `show`.
 *
 * Not here: what is hidden (show/letter.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/audit.h"
#include "cmd/dlq.h"
#include "cmd/verbs.h"
#include "show/letter.h"

enum { GO_ON = -1 };
static const char names_piece[] = "names"; /* of state: the table of names, with schemas */

static int64_t utc_now(void)
{
    struct timespec t = { 0, 0 };

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What will be revealed is noted first. */
static int note_reveal(struct dlq *d, const char *verb)
{
    struct audit audit = { .verb = verb };

    if (!d->reveal)
        return GO_ON;
    audit.letters = d->letters;
    audit.count = d->count;
    return audit_note(d->shelf.paths.folder, &audit) ? GO_ON : EXIT_ERROR;
}

/* ---- the list ---- */

struct list {
    const struct dlq *dlq;
    struct table table;
    struct json json;
    uint64_t now;
    uint64_t count;
    uint64_t unread;
};

static bool list_one(void *arg, uint64_t number, const void *bytes, size_t size)
{
    struct list *l = arg;
    struct wire_letter letter;
    const struct letter_view view = { .plan = l->dlq->shelf.opened.plan,
                                      .letter = &letter,
                                      .number = number,
                                      .now_utc_ns = (int64_t)l->now,
                                      .reveal = l->dlq->reveal };

    if (!wire_letter_read(bytes, size, &letter)) {
        l->unread++;
        return true;
    }
    if (!dlq_is_meant(l->dlq, &letter))
        return true;
    l->count++;
    if (l->dlq->json)
        letter_json(&view, &l->json, false);
    else
        letter_row(&l->table, &view);
    return !ferror(stdout);
}

static bool list_begin(struct list *l)
{
    if (!l->dlq->json) {
        if (!table_open(&l->table, LETTER_COLUMNS))
            return false;
        letter_heads(&l->table);
        return true;
    }
    json_begin(&l->json, stdout, true);
    json_object(&l->json, NULL);
    json_text(&l->json, "pipeline", l->dlq->shelf.opened.plan->name);
    json_array(&l->json, "letters");
    return true;
}

static bool list_end(struct list *l)
{
    bool whole = true;

    if (l->dlq->json) {
        json_end(&l->json);
        json_uint(&l->json, "unreadable", l->unread);
        json_end(&l->json);
        json_finish(&l->json);
    } else if (l->count == 0) {
        puts("no dead letters");
    } else {
        whole = table_print(&l->table, stdout);
    }
    table_close(&l->table);
    return whole;
}

static int list_failed(const struct dlq *d, const char *what)
{
    fprintf(stderr, "%s: error: %s\n", d->shelf.opened.file, what);
    return EXIT_ERROR;
}

static int list_all(struct dlq *d)
{
    struct list list = { .dlq = d, .now = (uint64_t)utc_now() };
    enum store_status status;

    if (!list_begin(&list))
        return list_failed(d, "there is no memory");
    status = store_letters(d->shelf.store, list_one, &list);
    if (!list_end(&list))
        return list_failed(d, "there is no memory: lines are missing");
    if (status != STORE_OK)
        return list_failed(d, "the letters cannot all be read; see afferent store check");
    if (list.unread == 0)
        return EXIT_DONE;
    fprintf(stderr, "%s: %" PRIu64 " letters cannot be read and are left out; see afferent store check\n",
            d->shelf.opened.file, list.unread);
    return EXIT_WRONG;
}

/* The numbers are wanted only where they are to be noted. */
int dlq_ls(struct dlq *d)
{
    int code = shelf_look(&d->shelf);

    if (code < 0 && d->count > 0) {
        fputs("afferent dlq ls: numbers are for dlq show; expected --node or --reason\n", stderr);
        code = EXIT_USAGE;
    }
    if (code < 0 && d->reveal)
        code = dlq_choose(d);
    if (code < 0)
        code = note_reveal(d, "dlq ls --reveal");
    return code < 0 ? list_all(d) : code;
}

/* ---- letters ---- */

struct names {
    void *bytes;
    size_t size;
};

static void show_bytes(struct dlq *d, const struct names *names, uint64_t number, const struct wire_letter *letter,
                       struct json *json)
{
    struct aff_schema *schema = NULL;
    struct letter_view view = { .plan = d->shelf.opened.plan,
                                .letter = letter,
                                .number = number,
                                .now_utc_ns = utc_now(),
                                .reveal = d->reveal };

    if (names->bytes && letter->record.schema)
        schema = wire_schema_find(names->bytes, names->size, letter->record.schema);
    view.schema = schema;
    if (d->json)
        letter_json(&view, json, true);
    else
        letter_print(&view, stdout);
    free(schema);
}

/* False: it is not there, or cannot be read. */
static bool show_one(struct dlq *d, const struct names *names, uint64_t number, struct json *json)
{
    struct wire_letter letter;
    void *bytes = NULL;
    size_t size = 0;
    enum store_status status = store_letter(d->shelf.store, number, &bytes, &size);
    bool ok = status == STORE_OK && wire_letter_read(bytes, size, &letter);

    if (ok)
        show_bytes(d, names, number, &letter, json);
    else
        fprintf(stderr, "%s: letter %" PRIu64 ": %s\n", d->shelf.opened.file, number,
                status == STORE_NONE ? "there is no such letter; see afferent dlq ls"
                                     : "it cannot be read; see afferent store check");
    free(bytes);
    return ok;
}

static int show_all(struct dlq *d)
{
    struct names names = { NULL, 0 };
    struct json json;
    bool all = true;

    if (store_state(d->shelf.store, names_piece, &names.bytes, &names.size) != STORE_OK)
        names.bytes = NULL;
    if (d->json) {
        json_begin(&json, stdout, true);
        json_array(&json, NULL);
    }
    for (size_t i = 0; i < d->count && !ferror(stdout); i++)
        all = show_one(d, &names, d->letters[i], &json) && all;
    if (d->json) {
        json_end(&json);
        json_finish(&json);
    }
    free(names.bytes);
    return all ? EXIT_DONE : EXIT_WRONG;
}

int dlq_show(struct dlq *d)
{
    int code = shelf_look(&d->shelf);

    if (code < 0)
        code = dlq_choose(d);
    if (code < 0)
        code = note_reveal(d, "dlq show --reveal");
    return code < 0 ? show_all(d) : code;
}
