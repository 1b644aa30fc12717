/* live.c - see live.h. */
#include "show/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "show/books.h"
#include "util/text.h"

static int64_t boot_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t made_by_sources(const struct live *live)
{
    uint64_t made = 0;

    for (uint32_t i = 0; i < live->plan->node_count; i++) {
        struct flow_node n;

        flow_node(live->flow, i, &n);
        if (n.plugin->about.kind == AFF_SOURCE)
            made += n.account.made;
    }
    return made;
}

/* The first node that publishes a heart rate and has one. */
static double heart_rate(const struct live *live)
{
    for (uint32_t i = 0; i < live->plan->node_count; i++) {
        struct flow_node n;

        flow_node(live->flow, i, &n);
        for (uint32_t m = 0; m < n.plugin->metric_count; m++)
            if (n.plugin->metrics[m].kind == AFF_METRIC_GAUGE &&
                strcmp(n.plugin->metrics[m].name, "heart_rate") == 0 && books_metric(&n, m) > 0)
                return books_metric(&n, m);
    }
    return 0;
}

/* Resident memory of the process; 0 where the kernel does not say. */
static double resident_mib(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long size, resident = 0;

    if (!f)
        return 0;
    if (fscanf(f, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

void live_begin(struct live *live, const struct flow *flow, const struct plan *plan)
{
    *live = (struct live){ .flow = flow, .plan = plan, .began_ns = boot_now() };
    live->last_ns = live->began_ns;
}

double live_seconds(const struct live *live)
{
    return (double)(boot_now() - live->began_ns) / 1e9;
}

/* The rate of the last second or more: records come in gusts. */
static void look(struct live *live)
{
    int64_t now = boot_now();
    uint64_t made;

    if (now - live->last_ns < 1000000000 && live->rated)
        return;
    if (now - live->last_ns < 1000000)
        return;
    made = made_by_sources(live);
    live->rate = (double)(made - live->last_made) * 1e9 / (double)(now - live->last_ns);
    if (now - live->last_ns < 1000000000)
        return;
    live->rated = true;
    live->last_ns = now;
    live->last_made = made;
}

/* What matters least stands last: a narrow terminal cuts it off. */
void live_text(struct live *live, char *text, size_t room)
{
    unsigned seconds = (unsigned)live_seconds(live);
    uint64_t flying = books_in_flight(live->flow, live->plan);
    struct text t = { 0 };
    double heart = heart_rate(live);

    look(live);
    if (seconds >= 3600)
        text_print(&t, "%u:", seconds / 3600);
    text_print(&t, "%02u:%02u  %.*f records/s", seconds / 60 % 60, seconds % 60, live->rate < 100 ? 1 : 0, live->rate);
    if (heart > 0)
        text_print(&t, "  heart rate %.0f/min", heart);
    text_print(&t, "  ledger %s", flow_unbalanced(live->flow) ? "NOT BALANCED" : "balanced");
    if (flying > 0)
        text_print(&t, ", %" PRIu64 " in flight", flying);
    text_print(&t, "  %" PRIu64 " epochs  %.0f MiB", flow_committed(live->flow), resident_mib());
    snprintf(text, room, "%s", t.data ? t.data : "");
    text_free(&t);
}
