/* door.c - see door.h. The numbers of `status` are gathered in door_status.c. */
#include "cmd/door.h"

#include <afferent/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/dlq_change.h"
#include "cmd/door_inside.h"
#include "cmd/verbs.h"
#include "flow/accounts.h"
#include "show/kept_books.h"

enum { WHY_ROOM = 512 };

static int64_t boot_now(void)
{
    struct timespec t = { 0, 0 };

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- what is asked: one request at a time, against door_flow ---- */

static int do_status(void *arg, bool json, struct text *answer)
{
    struct door *d = arg;
    bool ok;

    pthread_mutex_lock(&d->lock);
    ok = door_status(d, boot_now(), json, answer);
    pthread_mutex_unlock(&d->lock);
    if (ok)
        return EXIT_DONE;
    text_add(answer, "there is no memory");
    return EXIT_ERROR;
}

static int do_ledger(void *arg, bool json, struct text *answer)
{
    struct door *d = arg;
    struct kept_books books = { .runs = true };
    struct accounts *accounts = NULL;
    void *bytes = NULL;
    size_t size = 0;
    int code = EXIT_ERROR;

    if (d->shape.stored->store && store_state(d->shape.stored->store, ACCOUNTS_PIECE, &bytes, &size) == STORE_OK &&
        accounts_read(bytes, size, &accounts)) {
        books.accounts = accounts;
        kept_books_text(&books, json, answer);
        code = kept_books_verdict(&books) == KEPT_BALANCED ? EXIT_DONE : EXIT_WRONG;
    } else {
        text_add(answer, "this run stores nothing, or nothing yet; its ledger is printed when it ends; see afferent "
                         "status");
    }
    free(bytes);
    accounts_free(&accounts);
    return code;
}

static bool has_node(void *arg, const char *node)
{
    const struct plan *plan = arg;

    for (uint32_t i = 0; node && i < plan->node_count; i++)
        if (strcmp(plan->nodes[i].name, node) == 0)
            return true;
    return false;
}

/* The plan must stay while the keeper looks into it. */
static int change(struct door *d, bool retry, const uint64_t *letters, uint32_t count, struct text *answer)
{
    struct dlq_change work = { .retry = retry, .letters = letters, .count = count, .has_node = has_node,
                               .answer = answer, .code = EXIT_ERROR };

    if (!d->shape.stored->keeper) {
        text_add(answer, "this run stores nothing\n");
        return EXIT_USAGE;
    }
    pthread_mutex_lock(&d->lock);
    work.arg = (void *)(uintptr_t)d->plan;
    keeper_do(d->shape.stored->keeper, dlq_change, &work);
    pthread_mutex_unlock(&d->lock);
    if (retry && d->shape.retried)
        d->shape.retried(d->shape.arg);
    return work.code;
}

static int do_retry(void *arg, const uint64_t *letters, uint32_t count, struct text *answer)
{
    return change(arg, true, letters, count, answer);
}

static int do_drop(void *arg, const uint64_t *letters, uint32_t count, struct text *answer)
{
    return change(arg, false, letters, count, answer);
}

static int do_reload(void *arg, const char *path, struct text *answer)
{
    struct door *d = arg;

    return d->shape.reload(d->shape.arg, path, answer);
}

static int do_command(void *arg, const char *node, const char *const *pairs, uint32_t count, struct text *answer)
{
    struct door *d = arg;

    return d->shape.command(d->shape.arg, node, pairs, count, answer);
}

static int do_stop(void *arg, struct text *answer)
{
    struct door *d = arg;

    return d->shape.stop(d->shape.arg, answer);
}

/* ---- opening ---- */

static bool open_control(struct door *d, char *why, size_t room)
{
    const struct control_work work = {
        .status = do_status,
        .ledger = do_ledger,
        .retry = do_retry,
        .drop = do_drop,
        .reload = d->shape.reload ? do_reload : NULL,
        .command = d->shape.command ? do_command : NULL,
        .stop = d->shape.stop ? do_stop : NULL,
        .arg = d,
    };

    if (!place_find(d->plan->name, &d->paths, why, room) || !place_make(&d->paths, why, room))
        return false;
    pthread_mutex_lock(&d->lock); /* who asks at once waits until this is set */
    d->control = control_open(&d->paths, &work, why, room);
    pthread_mutex_unlock(&d->lock);
    return d->control != NULL;
}

struct door *door_open(const struct door_shape *shape)
{
    struct door *d = calloc(1, sizeof *d);
    char why[WHY_ROOM] = "there is no memory";

    if (d) {
        d->shape = *shape;
        d->plan = shape->plan;
        d->begun_ns = boot_now();
        pthread_mutex_init(&d->lock, NULL);
    }
    if (d && open_control(d, why, sizeof why))
        return d;
    lines_say(shape->lines, AFF_LOG_WARN, NULL, "%s; it runs without: status, reload, alert and dlq retry will not "
              "reach it", why);
    if (d)
        door_close(&d);
    return NULL;
}

void door_close(struct door **door)
{
    struct door *d = *door;

    *door = NULL;
    if (!d)
        return;
    control_close(&d->control);
    pthread_mutex_destroy(&d->lock);
    place_free(&d->paths);
    free(d);
}

void door_flow(struct door *d, const struct plan *plan, struct flow *flow, const char *why)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->plan = plan;
    d->flow = flow;
    snprintf(d->why, sizeof d->why, "%s", why ? why : "");
    pthread_mutex_unlock(&d->lock);
}
