/* status_json.c - see status_json.h. */
#include "show/status_json.h"

#include "util/json.h"

static void json_seconds(struct json *json, const char *key, int64_t ns)
{
    if (ns < 0)
        json_null(json, key);
    else
        json_real(json, key, (double)ns / 1e9);
}

static void write_node(struct json *json, const struct status_node *n)
{
    json_object(json, NULL);
    json_text(json, "node", n->name);
    json_text(json, "plugin", n->plugin);
    json_text(json, "state", n->state);
    json_text(json, "why", n->why && *n->why ? n->why : NULL);
    json_text(json, "isolation", n->isolation);
    json_uint(json, "records", n->records);
    json_uint(json, "dead", n->dead);
    json_uint(json, "expired", n->expired);
    json_uint(json, "held", n->held);
    json_uint(json, "retries", n->retries);
    json_uint(json, "restarts", n->restarts);
    json_end(json);
}

static void write_edge(struct json *json, const struct status_edge *e)
{
    json_object(json, NULL);
    json_text(json, "from", e->from);
    json_text(json, "to", e->to);
    json_text(json, "when_full", e->way);
    json_uint(json, "queued", e->queued);
    json_uint(json, "stored", e->stored);
    json_uint(json, "dropped", e->dropped);
    json_seconds(json, "oldest_age_seconds", e->oldest_age_ns);
    json_end(json);
}

static void write_store(struct json *json, const struct status *s)
{
    if (!s->store) {
        json_null(json, "store");
        return;
    }
    json_object(json, "store");
    json_uint(json, "used", s->store->used);
    json_uint(json, "limit", s->store->limit);
    json_uint(json, "file_bytes", s->store->file_bytes);
    json_uint(json, "group", s->store->group);
    json_uint(json, "incarnation", s->store->incarnation);
    json_uint(json, "values_lost", s->store->lost);
    json_uint(json, "stores_set_aside", s->store->set_aside);
    json_bool(json, "sealed", s->store->is_sealed);
    json_uint(json, "letters", s->letters);
    if (s->keeper) {
        json_uint(json, "groups", s->keeper->groups);
        json_uint(json, "changes", s->keeper->changes);
        json_uint(json, "bytes", s->keeper->bytes);
        json_uint(json, "retries", s->keeper->retries);
        json_seconds(json, "slowest_commit_seconds", s->keeper->slowest_ns);
    }
    json_end(json);
}

static void write_control(struct json *json, const struct control_figures *c)
{
    if (!c) {
        json_null(json, "control");
        return;
    }
    json_object(json, "control");
    json_uint(json, "answered", c->answered);
    json_uint(json, "refused", control_refused(c));
    json_object(json, "refused_for");
    json_uint(json, "handshake", c->handshake);
    json_uint(json, "key", c->keys);
    json_uint(json, "cut", c->cut);
    json_uint(json, "too_large", c->too_large);
    json_uint(json, "malformed", c->malformed);
    json_uint(json, "unknown", c->unknown);
    json_end(json);
    json_end(json);
}

static void write_bytes(struct json *json, const char *key, uint64_t bytes)
{
    if (bytes == UINT64_MAX)
        json_null(json, key);
    else
        json_uint(json, key, bytes);
}

static void write_link(struct json *json, const struct aff_link *l)
{
    json_object(json, NULL);
    json_text(json, "name", l->name);
    json_bool(json, "up", l->up);
    json_text(json, "technology", status_technology(l->technology));
    if (l->signal_dbm == INT16_MIN)
        json_null(json, "signal_dbm");
    else
        json_int(json, "signal_dbm", l->signal_dbm);
    json_bool(json, "metered", l->metered);
    json_bool(json, "roaming", l->roaming);
    write_bytes(json, "sent_bytes", l->sent_bytes);
    write_bytes(json, "received_bytes", l->received_bytes);
    json_uint(json, "revision", l->revision);
    json_end(json);
}

static void write_head(struct json *json, const struct status *s)
{
    json_text(json, "pipeline", s->pipeline);
    json_text(json, "state", "running");
    json_text(json, "file", s->file);
    json_text(json, "version", s->version);
    json_int(json, "pid", s->pid);
    json_seconds(json, "uptime_seconds", s->uptime_ns);
    json_uint(json, "epochs_committed", s->epochs);
    json_seconds(json, "commit_age_seconds", s->commit_age_ns);
    json_bool(json, "balanced", s->balanced);
    json_bool(json, "intake_waits", s->paused != NULL);
    json_text(json, "intake_waits_for", s->paused);
}

void status_json(const struct status *s, FILE *out)
{
    struct json json;

    json_begin(&json, out, false);
    json_object(&json, NULL);
    write_head(&json, s);
    json_array(&json, "nodes");
    for (uint32_t i = 0; i < s->node_count; i++)
        write_node(&json, &s->nodes[i]);
    json_end(&json);
    json_array(&json, "edges");
    for (uint32_t i = 0; i < s->edge_count; i++)
        write_edge(&json, &s->edges[i]);
    json_end(&json);
    json_array(&json, "phi_leaves");
    for (uint32_t i = 0; i < s->leave_count; i++) {
        json_object(&json, NULL);
        json_text(&json, "node", s->leaves[i].node);
        json_text(&json, "reason", s->leaves[i].reason);
        json_end(&json);
    }
    json_end(&json);
    json_array(&json, "notes");
    for (uint32_t i = 0; i < s->note_count; i++) {
        json_object(&json, NULL);
        json_text(&json, "node", s->notes[i].node);
        json_text(&json, "text", s->notes[i].text);
        json_end(&json);
    }
    json_end(&json);
    json_array(&json, "links");
    for (uint32_t i = 0; i < s->link_count; i++)
        write_link(&json, &s->links[i]);
    json_end(&json);
    json_array(&json, "uplinks");
    for (uint32_t i = 0; i < s->uplink_count; i++)
        uplink_json(&json, &s->uplinks[i]);
    json_end(&json);
    write_store(&json, s);
    write_control(&json, s->control);
    json_end(&json);
    json_finish(&json);
}
