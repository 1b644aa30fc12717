/* status.c - see status.h. JSON is in status_json.c. */
#include "show/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show/age.h"
#include "show/status_json.h"
#include "show/table.h"
#include "util/units.h"

static void print_text(FILE *out, const char *before, const char *text, const char *behind)
{
    fputs(before, out);
    print_plain(out, text, strlen(text));
    fputs(behind, out);
}

static void print_head(const struct status *s, FILE *out)
{
    char up[AGE_ROOM], commit[AGE_ROOM];

    age_print(up, s->uptime_ns);
    age_print(commit, s->commit_age_ns);
    print_text(out, "", s->pipeline, "");
    fprintf(out, ": runs for %s (pid %" PRId64 "), ledger %s, %" PRIu64 " epochs committed", up, s->pid,
            s->balanced ? "balanced" : "NOT BALANCED", s->epochs);
    if (s->commit_age_ns >= 0)
        fprintf(out, ", the last %s ago", commit);
    fputc('\n', out);
    if (s->paused)
        print_text(out, "  intake waits: ", s->paused, "\n");
}

static bool print_nodes(const struct status *s, FILE *out)
{
    static const char *const heads[] = { "node", "plugin", "records", "dead", "expired", "held", "state", "isolation" };
    struct table t;
    bool whole;

    if (!table_open(&t, sizeof heads / sizeof *heads))
        return false;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        table_cell(&t, "%s", heads[i]);
    for (uint32_t i = 0; i < s->node_count; i++) {
        const struct status_node *n = &s->nodes[i];

        table_cell(&t, "%s", n->name);
        table_cell(&t, "%s", n->plugin);
        table_number(&t, n->records);
        table_number(&t, n->dead);
        table_number(&t, n->expired);
        table_number(&t, n->held);
        table_cell(&t, "%s", n->state ? n->state : "");
        table_cell(&t, "%s", n->isolation ? n->isolation : "");
    }
    whole = table_print(&t, out);
    table_close(&t);
    return whole;
}

static void print_trouble(const struct status *s, FILE *out)
{
    for (uint32_t i = 0; i < s->node_count; i++) {
        const struct status_node *n = &s->nodes[i];

        if (n->why && *n->why) {
            print_text(out, "  [", n->name, "] ");
            print_text(out, "", n->why, "\n");
        }
        if (n->retries > 0)
            fprintf(out, "  [%s] %" PRIu64 " attempts failed since the last that went\n", n->name, n->retries);
        if (n->restarts > 0)
            fprintf(out, "  [%s] its process was started anew %" PRIu64 " times\n", n->name, n->restarts);
    }
}

/* Edges on which something lies, or was let go. */
static bool print_edges(const struct status *s, FILE *out)
{
    static const char *const heads[] = { "edge", "when full", "queued", "stored", "dropped", "oldest" };
    struct table t;
    bool whole = true;

    if (!table_open(&t, sizeof heads / sizeof *heads))
        return false;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        table_cell(&t, "%s", heads[i]);
    for (uint32_t i = 0; i < s->edge_count; i++) {
        const struct status_edge *e = &s->edges[i];
        char age[AGE_ROOM];

        if (e->queued == 0 && e->dropped == 0)
            continue;
        age_print(age, e->oldest_age_ns);
        table_cell(&t, "%s -> %s", e->from, e->to);
        table_cell(&t, "%s", e->way ? e->way : "");
        table_number(&t, e->queued);
        table_number(&t, e->stored);
        table_number(&t, e->dropped);
        table_cell(&t, "%s", age);
    }
    if (t.rows > 1)
        whole = table_print(&t, out);
    table_close(&t);
    return whole;
}

static void add_bytes(struct text *text, const char *before, uint64_t bytes, const char *behind)
{
    text_add(text, before);
    units_add_bytes(text, bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX);
    text_add(text, behind);
}

static void print_store(const struct status *s, FILE *out)
{
    struct text text = { 0 };

    if (!s->store) {
        fputs("  store: none (store_limit is 0): what is read and not delivered is lost with the process\n", out);
        return;
    }
    add_bytes(&text, "  store: ", s->store->used, " of ");
    add_bytes(&text, "", s->store->limit, ", ");
    add_bytes(&text, "", s->store->file_bytes, " on the disk");
    text_print(&text, "%s; group %" PRIu64 ", %" PRIu64 " dead letters", s->store->is_sealed ? ", sealed" : "",
               s->store->group, s->letters);
    if (s->store->set_aside > 0)
        text_print(&text, "; %" PRIu64 " damaged stores set aside, %" PRIu64 " values lost", s->store->set_aside,
                   s->store->lost);
    fprintf(out, "%s\n", text.data ? text.data : "");
    if (s->keeper && s->keeper->retries > 0)
        fprintf(out, "  store: %" PRIu64 " commits had to be tried again\n", s->keeper->retries);
    text_free(&text);
}

const char *status_technology(uint8_t technology)
{
    static const char *const names[] = { "other", "wired", "wifi", "2G", "3G", "4G", "5G" };

    return technology < sizeof names / sizeof *names ? names[technology] : "other";
}

static void print_links(const struct status *s, FILE *out)
{
    for (uint32_t i = 0; i < s->link_count; i++) {
        const struct aff_link *l = &s->links[i];
        struct text text = { 0 };

        text_print(&text, "  link %s: %s, %s", l->name, l->up ? "up" : "down", status_technology(l->technology));
        if (l->signal_dbm != INT16_MIN)
            text_print(&text, ", %d dBm", l->signal_dbm);
        text_print(&text, "%s%s", l->metered ? ", metered" : "", l->roaming ? ", roaming" : "");
        if (l->sent_bytes != UINT64_MAX)
            add_bytes(&text, ", sent ", l->sent_bytes, "");
        if (l->received_bytes != UINT64_MAX)
            add_bytes(&text, ", received ", l->received_bytes, "");
        fprintf(out, "%s\n", text.data ? text.data : "");
        text_free(&text);
    }
}

static void print_uplinks(const struct status *s, FILE *out)
{
    for (uint32_t i = 0; i < s->uplink_count; i++) {
        struct text text = { 0 };

        uplink_text(&text, &s->uplinks[i]);
        fputs(text.data ? text.data : "", out); /* names of nodes and links hold no controls */
        text_free(&text);
    }
}

static void print_control(const struct status *s, FILE *out)
{
    if (s->control)
        fprintf(out, "  control: %" PRIu64 " requests answered, %" PRIu64 " refused\n", s->control->answered,
                control_refused(s->control));
}

static void status_print(const struct status *s, FILE *out)
{
    print_head(s, out);
    if (!print_nodes(s, out) || !print_edges(s, out))
        fputs("  (no memory for a table)\n", out);
    print_trouble(s, out);
    for (uint32_t i = 0; i < s->leave_count; i++) {
        print_text(out, "  [", s->leaves[i].node, "] what identifies somebody leaves this node by it: ");
        print_text(out, "", s->leaves[i].reason, "\n");
    }
    for (uint32_t i = 0; i < s->note_count; i++) {
        print_text(out, "  [", s->notes[i].node, "] ");
        print_text(out, "", s->notes[i].text, "\n");
    }
    print_links(s, out);
    print_uplinks(s, out);
    print_store(s, out);
    print_control(s, out);
}

void status_text(const struct status *s, bool json, struct text *answer)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);

    if (out && json)
        status_json(s, out);
    else if (out)
        status_print(s, out);
    if (out && fclose(out) == 0)
        text_add_bytes(answer, bytes, size);
    else
        answer->failed = true;
    free(bytes);
}
