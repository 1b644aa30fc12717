/* epochs.c - runs schedules of the model and prints what came of them.
 *
 *   sim_epochs [--schedules N] [--from SEED] [--mistake NUMBER] [--each N]
 *   sim_epochs --trace SEED [--mistake NUMBER]
 *
 * Without --mistake: first N schedules of the right protocol (30,000), then each
 * planted mistake until it is caught, at most N (or --each) schedules. Exit 1 when
 * the right one was unsafe or stuck, or a mistake was not caught. --trace prints
 * the events of one schedule for conform.py.
 *
 * Not here: the model (sim.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim.h"

struct wanted {
    uint64_t schedules, each, from, trace;
    bool has_mistake, has_trace;
    enum mistake mistake;
};

static bool read_options(int count, char **texts, struct wanted *w)
{
    int i;

    for (i = 1; i + 1 < count; i += 2) {
        uint64_t value = strtoull(texts[i + 1], NULL, 10);

        if (strcmp(texts[i], "--schedules") == 0) {
            w->schedules = value;
        } else if (strcmp(texts[i], "--each") == 0) {
            w->each = value;
        } else if (strcmp(texts[i], "--from") == 0) {
            w->from = value;
        } else if (strcmp(texts[i], "--trace") == 0) {
            w->trace = value;
            w->has_trace = true;
        } else if (strcmp(texts[i], "--mistake") == 0 && value < MISTAKES) {
            w->mistake = (enum mistake)value;
            w->has_mistake = true;
        } else {
            return false;
        }
    }
    if (w->each == 0)
        w->each = w->schedules;
    return i == count;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* All of them, whatever they say. True: none was wrong. */
static bool run_right(struct sim *sim, const struct wanted *w)
{
    uint64_t i, stuck = 0, unsafe = 0;
    struct figures *f = sim->figures;
    double began = seconds();

    for (i = 0; i < w->schedules; i++) {
        enum verdict v = sim_run(sim, w->from + i, RIGHT);

        stuck += v == STUCK;
        unsafe += v != STUCK && v != FINE;
        if (v != FINE && stuck + unsafe < 10)
            printf("schedule %" PRIu64 ": %s\n", w->from + i, verdict_names[v]);
    }
    printf("the protocol: %" PRIu64 " schedules, %" PRIu64 " crashes (%" PRIu64 " inside a commit, %" PRIu64
           " between commit and answer), %" PRIu64 " stops,\n"
           "  %" PRIu64 " steps, %" PRIu64 " groups, %" PRIu64 " records stored, %" PRIu64 " delivered (%" PRIu64
           " marked RESENT), %.1f s\n",
           w->schedules, f->crashes, f->in_commit, f->after_commit, f->stops, f->steps, f->groups, f->spilled,
           f->delivered, f->resent, seconds() - began);
    printf("  %" PRIu64 " unsafe, %" PRIu64 " stuck\n", unsafe, stuck);
    return stuck + unsafe == 0;
}

static bool run_mistake(struct sim *sim, const struct wanted *w, enum mistake mistake)
{
    enum verdict v = FINE;
    uint64_t i;

    for (i = 0; i < w->each && v == FINE; i++)
        v = sim_run(sim, w->from + i, mistake);
    printf("%4d  %-48s %10" PRIu64 "  %s\n", (int)mistake, mistake_names[mistake], i,
           v == FINE ? "NOT CAUGHT" : verdict_names[v]);
    return v != FINE;
}

static bool run_all(struct sim *sim, const struct wanted *w)
{
    bool right = w->has_mistake || run_right(sim, w);
    int i, caught = 0, tried = 0;

    printf("\n      planted mistake                                   schedules  caught by\n");
    for (i = RIGHT + 1; i < MISTAKES; i++) {
        if (w->has_mistake && i != (int)w->mistake)
            continue;
        tried++;
        caught += run_mistake(sim, w, (enum mistake)i);
    }
    printf("%d of %d mistakes caught%s\n", caught, tried,
           w->has_mistake ? "" : right ? "; the protocol: 0 unsafe, 0 stuck" : "; THE PROTOCOL IS WRONG");
    return right && caught == tried;
}

int main(int count, char **texts)
{
    struct wanted w = { .schedules = 30000, .from = 1 };
    struct figures figures = { 0 };
    struct sim *sim = calloc(1, sizeof *sim);
    bool right = false;

    if (!sim || !(sim->judge = judge_new())) {
        fprintf(stderr, "no memory\n");
        free(sim);
        return 3;
    }
    sim->figures = &figures;
    if (!read_options(count, texts, &w)) {
        fprintf(stderr, "expected --schedules N, --each N, --from SEED, --mistake 0..%d, --trace SEED\n", MISTAKES - 1);
    } else if (w.has_trace) {
        sim->trace = stdout;
        right = sim_run(sim, w.trace, w.mistake) == FINE;
    } else {
        right = run_all(sim, &w);
    }
    judge_free(sim->judge);
    free(sim);
    return right ? 0 : 1;
}
