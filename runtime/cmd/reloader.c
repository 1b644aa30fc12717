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
    struct generation *generations; /* retired, or the one that runs */
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

/* Nobody else looks at the flow while it becomes another. */
static bool swap(struct reloader *r, struct reload *reload, struct generation *g)
{
    bool ok;

    door_flow(*r->run.door, r->run.opened->plan, NULL, "it is being reloaded");
    stopper_guard(r->run.stopper, NULL);
    reloader_flow_set(r, NULL);
    ok = reload_swap(reload);
    if (ok) {
        struct opened was = *r->run.opened;

        r->run.opened->plan = g->opened.plan;
        r->run.opened->plugins = g->opened.plugins;
        r->run.opened->report = g->opened.report;
        g->opened.plan = was.plan;
        g->opened.plugins = was.plugins;
        g->opened.report = was.report;
        *r->run.flow = reload->flow;
    }
    reloader_flow_set(r, *r->run.flow);
    door_flow(*r->run.door, r->run.opened->plan, *r->run.flow, NULL);
    stopper_guard(r->run.stopper, *r->run.flow);
    return ok;
}
