/* reloader.c - see reloader.h. */
#include "cmd/reloader.h"

#include <afferent/plugin.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/verbs.h"
#include "flow/reload.h"

#define OPEN_NS INT64_C(10000000000) /* so long what changed may take to open */
#define AGAIN_NS INT64_C(250000000)

/* A plan with its plugins, as long as somebody uses it. */
struct generation {
    struct generation *next;
    struct opened opened;
    char *file;
};

/* What somebody wants; lies with whoever waits for it. */
struct wish {
    const char *path;
    struct text *answer;
    int code;
    bool is_done;
};

struct reloader {
    struct reloader_run run;
    struct generation *generations; /* no longer the run's, but in use */
    char *file; /* of the run's plan; NULL: that of the command line */
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct flow *flow; /* NULL: nothing can be asked for */
    struct wish *wish;
    bool hung_up;
};

/* ---- asking ---- */

struct reloader *reloader_open(const struct reloader_run *run)
{
    struct reloader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->run = *run;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->done, NULL);
    return r;
}

void reloader_flow(struct reloader *r, struct flow *flow)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->flow = flow;
    if (flow && r->hung_up)
        flow_nudge(flow);
    if (!flow && r->wish) {
        text_add(r->wish->answer, "the run is ending\n");
        r->wish->code = EXIT_ERROR;
        r->wish->is_done = true;
        r->wish = NULL;
    }
    pthread_cond_broadcast(&r->done);
    pthread_mutex_unlock(&r->lock);
}

int reloader_ask(void *arg, const char *path, struct text *answer)
{
    struct reloader *r = arg;
    struct wish wish = { .path = path, .answer = answer, .code = EXIT_ERROR };

    pthread_mutex_lock(&r->lock);
    if (!r->flow || r->wish) {
        text_add(answer, r->wish ? "it is being reloaded already\n"
                                 : "it has not begun yet, or is ending; see afferent status\n");
        wish.is_done = true;
    } else {
        r->wish = &wish;
        flow_nudge(r->flow);
    }
    while (!wish.is_done)
        pthread_cond_wait(&r->done, &r->lock);
    pthread_mutex_unlock(&r->lock);
    return wish.code;
}

/* A flow that has just taken over looks anyway. */
void reloader_retry(struct reloader *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->flow)
        flow_retry(r->flow);
    pthread_mutex_unlock(&r->lock);
}

void reloader_hang_up(void *arg)
{
    struct reloader *r = arg;

    pthread_mutex_lock(&r->lock);
    r->hung_up = true;
    if (r->flow)
        flow_nudge(r->flow);
    pthread_mutex_unlock(&r->lock);
}

/* ---- plans ---- */

static void flow_set(struct reloader *r, struct flow *flow)
{
    pthread_mutex_lock(&r->lock);
    r->flow = flow;
    pthread_mutex_unlock(&r->lock);
}

static void generation_free(struct generation *g)
{
    plan_close(&g->opened.plan);
    plugins_close(&g->opened.plugins);
    report_free(&g->opened.report);
    free(g->file);
    free(g);
}

static void generations_trim(struct reloader *r, const struct flow *flow)
{
    struct generation **at = &r->generations, *g;

    while ((g = *at)) {
        if (flow && g->opened.plan && reload_uses(flow, g->opened.plan)) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        generation_free(g);
    }
}

static void report_answer(struct report *report, struct text *answer)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);

    if (!out)
        return;
    report_print(report, out);
    if (fclose(out) == 0)
        text_add_bytes(answer, bytes, size);
    free(bytes);
}

/* Flags are those that the run was started with. NULL: `answer` and *ret_code say why. */
static struct generation *generation_read(struct reloader *r, const char *path, struct text *answer, int *ret_code)
{
    const struct opened *like = r->run.opened;
    struct generation *g = calloc(1, sizeof *g);
    char *words[1] = { NULL };

    *ret_code = EXIT_ERROR;
    if (g)
        words[0] = g->file = strdup(path ? path : like->file);
    if (!words[0]) {
        free(g);
        text_add(answer, "there is no memory\n");
        return NULL;
    }
    g->opened = *like;
    g->opened.report = NULL;
    g->opened.plugins = NULL;
    g->opened.plan = NULL;
    g->opened.operands = (struct args_list){ .words = (const char **)(void *)words, .count = 1 };
    if (opened_read(&g->opened) >= 0)
        text_add(answer, "there is no memory\n");
    else if (!g->opened.plan)
        *ret_code = EXIT_USAGE;
    g->opened.operands = (struct args_list){ 0 };
    if (g->opened.report)
        report_answer(g->opened.report, answer);
    if (g->opened.plan)
        return g;
    generation_free(g);
    return NULL;
}

/* ---- the change ---- */

static int64_t boot_now(void)
{
    struct timespec t = { 0, 0 };

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool open_changed(struct reloader *r, struct reload *reload)
{
    int64_t until = boot_now() + OPEN_NS;
    aff_status st;

    while ((st = reload_open(reload)) == AFF_ERR_IO && boot_now() < until)
        if (stopper_sleep(r->run.stopper, AGAIN_NS))
            break;
    if (st != AFF_OK)
        reload_cancel(reload);
    return st == AFF_OK;
}

static void attach(void *arg, struct flow *flow)
{
    struct reloader *r = arg;

    stored_flow(r->run.stored, flow);
}

/* The run gets what was read; what it had stays in the list until nobody uses it. */
static void generation_exchange(struct reloader *r, struct generation *g)
{
    struct opened *o = r->run.opened, read = g->opened;
    char *file = g->file;

    g->opened.plan = o->plan;
    g->opened.plugins = o->plugins;
    g->opened.report = o->report;
    g->file = r->file;
    o->plan = read.plan;
    o->plugins = read.plugins;
    o->report = read.report;
    r->file = file;
    g->next = r->generations;
    r->generations = g;
}

/* Nobody else looks at the flow while it becomes another. */
static bool swap(struct reloader *r, struct reload *reload, struct generation *g)
{
    bool ok;

    door_flow(*r->run.door, r->run.opened->plan, NULL, "it is being reloaded");
    stopper_guard(r->run.stopper, NULL);
    flow_set(r, NULL);
    ok = reload_swap(reload);
    if (ok) {
        generation_exchange(r, g);
        *r->run.flow = reload->flow;
    }
    flow_set(r, *r->run.flow);
    door_flow(*r->run.door, r->run.opened->plan, *r->run.flow, NULL);
    stopper_guard(r->run.stopper, *r->run.flow);
    return ok;
}

/* ---- what is answered ---- */

static void list_nodes(const struct difference *d, enum difference_kind kind, struct text *answer)
{
    uint32_t i, count = 0;

    for (i = 0; i < d->node_count; i++)
        count += d->nodes[i].kind == kind;
    text_print(answer, "%s %" PRIu32, difference_word(kind, false), count);
    for (i = 0; kind != DIFFERENCE_KEPT && i < d->node_count; i++)
        if (d->nodes[i].kind == kind)
            text_print(answer, "%s%s%s%s", count == 0 ? ", " : ": ", d->nodes[i].name, *d->nodes[i].why ? " for its " : "",
                       d->nodes[i].why),
                count = 0;
}

static void answer_done(const struct reload *reload, struct text *answer)
{
    static const enum difference_kind kinds[] = { DIFFERENCE_KEPT, DIFFERENCE_CHANGED, DIFFERENCE_ADDED, DIFFERENCE_REMOVED };

    text_add(answer, "nodes ");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        text_add(answer, i ? "; " : "");
        list_nodes(reload->difference, kinds[i], answer);
    }
    text_print(answer, "\nintake waited for %" PRId64 " ms\n", reload->paused_ns / 1000000);
    if (reload->left_in_store > 0)
        text_print(answer, "%" PRIu64 " records that were not delivered by edges that are gone stay in the store; they are "
                   "delivered when such an edge is there again\n", reload->left_in_store);
    if (reload->let_go > 0)
        text_print(answer, "%" PRIu64 " records that waited in memory for edges that are gone were let go\n", reload->let_go);
}

static bool is_paused(const struct stored *stored)
{
    struct keeper_figures f = { .is_paused = false };

    if (stored->keeper)
        keeper_figures(stored->keeper, &f);
    return f.is_paused;
}

/* ---- doing it ---- */

static int change(struct reloader *r, struct generation *g, struct reload *reload, struct text *answer)
{
    const char *fixed = difference_fixed(reload->difference);

    if (fixed) {
        text_print(answer, "pipeline.%s cannot be changed while it runs; stop the run and start it again\n", fixed);
        return EXIT_USAGE;
    }
    if (difference_none(reload->difference)) {
        text_add(answer, "nothing has changed\n");
        return EXIT_DONE;
    }
    if (is_paused(r->run.stored)) {
        text_add(answer, "the store cannot be written now; the pipeline runs on as it was\n");
        return EXIT_ERROR;
    }
    if (!open_changed(r, reload) || !swap(r, reload, g)) {
        text_print(answer, "%s; the pipeline runs on as it was\n", reload->why);
        return EXIT_ERROR;
    }
    answer_done(reload, answer);
    return EXIT_DONE;
}

static int reload_now(struct reloader *r, const char *path, struct text *answer)
{
    struct flow *before = *r->run.flow;
    struct reload reload = { .flow = before, .attach = attach, .arg = r };
    struct difference *difference;
    struct generation *g;
    int code;

    g = generation_read(r, path ? path : r->file, answer, &code);
    if (!g)
        return code;
    code = EXIT_ERROR;
    difference = difference_new(r->run.opened->plan, g->opened.plan);
    reload.plan = g->opened.plan;
    reload.difference = difference;
    if (difference)
        code = change(r, g, &reload, answer);
    else
        text_add(answer, "there is no memory\n");
    difference_free(&difference);
    if (*r->run.flow == before)
        generation_free(g);
    generations_trim(r, *r->run.flow);
    return code;
}

static void say(struct reloader *r, int code, const struct text *answer)
{
    const char *line = answer->data ? answer->data : "";

    while (*line) {
        size_t n = strcspn(line, "\n");

        lines_say(r->run.lines, code == EXIT_DONE ? AFF_LOG_INFO : AFF_LOG_ERROR, NULL, "reload: %.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

bool reloader_is_asked(struct reloader *r)
{
    bool is_asked;

    pthread_mutex_lock(&r->lock);
    is_asked = r->wish || r->hung_up;
    pthread_mutex_unlock(&r->lock);
    return is_asked;
}

bool reloader_turn(struct reloader *r)
{
    struct flow *before = *r->run.flow;
    struct text own = { 0 };
    struct wish *wish;
    bool hung_up;
    int code = EXIT_DONE;

    pthread_mutex_lock(&r->lock);
    wish = r->wish;
    hung_up = r->hung_up;
    r->hung_up = false;
    pthread_mutex_unlock(&r->lock);
    if (!wish && !hung_up)
        return false;
    code = reload_now(r, wish ? wish->path : NULL, &own);
    say(r, code, &own);
    if (wish) {
        text_add(wish->answer, own.data ? own.data : "there is no memory\n");
        pthread_mutex_lock(&r->lock);
        wish->code = code;
        wish->is_done = true;
        r->wish = NULL;
        pthread_cond_broadcast(&r->done);
        pthread_mutex_unlock(&r->lock);
    }
    text_free(&own);
    return *r->run.flow != before;
}

void reloader_close(struct reloader **reloader)
{
    struct reloader *r = *reloader;

    if (!r)
        return;
    generations_trim(r, NULL);
    free(r->file);
    pthread_cond_destroy(&r->done);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *reloader = NULL;
}
