/* stored.c - see stored.h. */
#include "cmd/stored.h"

#include <afferent/plugin.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cmd/verbs.h"
#include "config/key_file.h"
#include "util/text.h"

static void log_line(void *arg, int level, const char *text)
{
    lines_say(arg, level, NULL, "%s", text);
}

static int failed(const struct stored *stored, int code, const char *why)
{
    fprintf(stderr, "%s: error: %s\n", stored->file, why);
    return code;
}

/* What a person has to mend first is bad usage; what the world has to, an error. */
static int code_of(enum store_status status)
{
    return status == STORE_KEY || status == STORE_BUSY || status == STORE_NEWER ? EXIT_USAGE : EXIT_ERROR;
}

/* Where a node behind a queue keeps state, what it has finished must not leave the
 * store before that state is in. */
static bool keeps_behind_queues(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (plan->edges[i].way == EDGE_QUEUE && plan->nodes[plan->edges[i].to].plugin->about.kind != AFF_SINK)
            return true;
    return false;
}

struct stranded {
    struct stored *stored;
    const struct plan *plan;
};

static bool look_stranded(void *arg, const char *name, uint32_t priority, const struct kept_queue *queue)
{
    struct stranded *s = arg;
    char of[1024];

    (void)priority;
    for (uint32_t i = 0; i < s->plan->edge_count; i++) {
        flow_queue_name(s->plan, i, of, sizeof of);
        if (s->plan->edges[i].when_full == WHEN_FULL_SPILL && strcmp(of, name) == 0)
            return true;
    }
    if (queue->records > 0)
        lines_say(s->stored->lines, AFF_LOG_WARN, NULL,
                  "%llu records wait in the store for the edge %s, which the pipeline no longer has, or which does not "
                  "spill any more; nobody delivers them until it is there again",
                  (unsigned long long)queue->records, name);
    return true;
}

/* What an edge left that was renamed or taken out. */
static void tell_stranded(struct stored *stored, const struct plan *plan)
{
    struct stranded s = { stored, plan };

    store_queues(stored->store, look_stranded, &s);
}

static int take(struct stored *stored, const struct plan *plan, const uint8_t *key)
{
    struct store_options options = {
        .folder = stored->paths.folder,
        .limit = plan->store_limit,
        .key = key,
        .acks_wait = keeps_behind_queues(plan),
        .log = log_line,
        .arg = stored->lines,
    };
    enum store_status status;
    char why[512];

    status = store_open(&options, &stored->store, why, sizeof why);
    if (status != STORE_OK)
        return failed(stored, code_of(status), why);
    tell_stranded(stored, plan);
    stored->keeper = keeper_open(stored->store);
    return stored->keeper ? -1 : failed(stored, EXIT_ERROR, "no memory for the store");
}

int stored_open(struct stored *stored, const struct plan *plan, const char *file, struct lines *lines)
{
    uint8_t key[KEY_FILE_BYTES];
    char why[512];
    struct text text = { 0 };
    int code;

    *stored = (struct stored){ .file = file, .lines = lines };
    if (plan->store_limit == 0)
        return -1;
    if (!place_find(plan->name, &stored->paths, why, sizeof why) || !place_make(&stored->paths, why, sizeof why))
        return failed(stored, EXIT_USAGE, why);
    if (plan->store_key && !key_file_read(plan->store_key, "store_key", key, &text)) {
        code = failed(stored, EXIT_USAGE, text.data ? text.data : "no memory");
        text_free(&text);
        return code;
    }
    code = take(stored, plan, plan->store_key ? key : NULL);
    sodium_memzero(key, sizeof key);
    return code;
}

const struct kept *stored_kept(const struct stored *stored)
{
    return stored->keeper ? keeper_kept(stored->keeper) : NULL;
}

/* ---- while it runs ---- */

static bool gather(void *arg, struct kept_group *group, int64_t *ret_wait_ns)
{
    struct stored *stored = arg;

    return stored->flow && flow_gather(stored->flow, group, ret_wait_ns);
}

static void committed(void *arg)
{
    struct stored *stored = arg;

    if (stored->flow)
        flow_stored(stored->flow);
}

static void store_failed(void *arg, const char *why)
{
    struct stored *stored = arg;

    if (stored->flow)
        flow_store_failed(stored->flow, why);
    else
        stored->failed = why;
}

static void paused(void *arg, const char *why)
{
    struct stored *stored = arg;

    if (why)
        lines_say(stored->lines, AFF_LOG_WARN, NULL, "intake waits: %s", why);
    else
        lines_say(stored->lines, AFF_LOG_INFO, NULL, "the store takes again; intake goes on");
}

bool stored_begin(struct stored *stored, struct flow *flow)
{
    const struct keeper_work work = {
        .gather = gather, .committed = committed, .failed = store_failed, .paused = paused, .arg = stored
    };

    stored->flow = flow;
    stored->begun = !stored->keeper || keeper_start(stored->keeper, &work);
    return stored->begun;
}

static enum store_status take_flow(void *arg, struct store *store)
{
    struct stored *stored = arg;

    (void)store;
    stored->flow = stored->next;
    if (stored->flow && stored->failed)
        flow_store_failed(stored->flow, stored->failed);
    return STORE_OK;
}

void stored_flow(struct stored *stored, struct flow *flow)
{
    stored->next = flow;
    if (!stored->keeper || !stored->begun) {
        stored->flow = flow;
        return;
    }
    keeper_do(stored->keeper, take_flow, stored);
    if (flow)
        keeper_kept(stored->keeper)->ring(keeper_kept(stored->keeper)->self);
}

void stored_end(struct stored *stored)
{
    if (stored->keeper && stored->begun)
        keeper_stop(stored->keeper);
    stored->begun = false;
}

void stored_close(struct stored *stored)
{
    stored_end(stored);
    keeper_close(&stored->keeper);
    store_close(&stored->store);
    place_free(&stored->paths);
}
