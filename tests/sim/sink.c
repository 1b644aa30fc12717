/* sink.c - sinks of the model: what they send, and when they are done.
 *
 * Not here: what arrived (judge.c). */
#include "sim.h"

static bool refuses(const struct sim *sim, uint32_t node, const struct record *r)
{
    return sim->graph.nodes[node].refuses && r->id % 7u == 3u;
}

/* Rule 7: a dead letter belongs to the epoch its record came in. */
static void letter_post(struct sim *sim, uint32_t node, uint32_t in, const struct record *r, uint32_t epoch)
{
    struct letter letter = { r->id, node, in, epoch, false };
    bool outside = sim->mistake == LETTER_OUTSIDE;
    uint32_t *count = outside ? &sim->store.letter_count : &sim->letter_count;

    if (*count == LETTERS) {
        sim_wrong(sim, OVERFLOWN);
        return;
    }
    (outside ? sim->store.letters : sim->letters)[(*count)++] = letter;
}

static void send(struct sim *sim, uint32_t node, uint32_t in, const struct record *r)
{
    struct lane *lane = &sim->lanes[node];

    lane->sent[lane->sent_count++] = (struct sent){ *r, in, lane->epoch };
    lane->waiting[lane->epoch % SLOTS]++;
    sim_trace(sim, "sent lane=%u epoch=%u", node, lane->epoch);
    if (!refuses(sim, node, r))
        judge_delivered(sim, node, in, r);
}

void sink_write(struct sim *sim, uint32_t node, uint32_t in, const struct record *r)
{
    struct lane *lane = &sim->lanes[node];

    if (r->flags & REC_END)
        return;
    switch (sim->graph.nodes[node].kind) {
    case SNK_LATE:
        send(sim, node, in, r);
        break;
    case SNK_ARCHIVE:
        judge_archived(sim, node, in, r);
        break;
    default:
        if (refuses(sim, node, r))
            letter_post(sim, node, in, r, lane->epoch);
        else
            judge_delivered(sim, node, in, r);
        break;
    }
}

bool sink_takes(struct sim *sim, uint32_t node)
{
    const struct lane *lane = &sim->lanes[node];

    return !lane->dead && lane->sent_count < WINDOW;
}

/* Rule 7: done with n when nothing of an epoch <= n is unacknowledged, in order;
 * the archive after its sync. */
void sink_look(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    uint32_t done = lane->done, all = lane->epoch + (lane->finished ? 1u : 0u), waits, i;

    if (done == NEVER)
        return;
    if (sim->graph.nodes[node].kind == SNK_ARCHIVE) {
        done = sim->mistake == SYNC_SKIPPED ? all : lane->synced;
    } else if (sim->mistake == DONE_BY_NEWEST && all > 0) {
        done = lane->waiting[(all - 1u) % SLOTS] == 0 ? all : done;
    } else {
        while (done < all && lane->waiting[done % SLOTS] == 0)
            done++;
    }
    for (i = waits = 0; i < SLOTS; i++)
        waits += lane->waiting[i];
    if (lane->finished && done == all && (waits == 0 || sim->mistake == DONE_BY_NEWEST))
        done = NEVER;
    if (done == lane->done)
        return;
    lane->done = done;
    if (done == NEVER)
        sim_trace(sim, "done lane=%u count=all", node);
    else
        sim_trace(sim, "done lane=%u count=%u", node, done);
}

/* One of those that are under way comes back: any of them. */
static void ack(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    uint32_t i = dice_below(&sim->dice, lane->sent_count), k, epoch;
    struct sent s = lane->sent[i];

    lane->sent[i] = lane->sent[--lane->sent_count];
    if (refuses(sim, node, &s.record))
        letter_post(sim, node, s.in, &s.record, sim->mistake == LETTER_WRONG_EPOCH ? lane->epoch : s.epoch);
    epoch = s.epoch;
    if (sim->mistake == ACK_WRONG_EPOCH)
        for (k = 0; k < SLOTS; k++) {
            epoch = (lane->done + k) % SLOTS;
            if (lane->waiting[epoch] > 0)
                break;
        }
    lane->waiting[epoch % SLOTS]--;
    sim_trace(sim, "ack lane=%u epoch=%u", node, s.epoch);
    sink_look(sim, node);
}

bool sink_step(struct sim *sim, uint32_t node)
{
    struct lane *lane = &sim->lanes[node];
    enum node_kind kind = sim->graph.nodes[node].kind;
    uint32_t ended = lane->epoch + (lane->finished ? 1u : 0u);

    if (kind == SNK_DYING && (lane->dead ? sim->unhurried : dice_below(&sim->dice, 40) == 0)) {
        lane->dead = !lane->dead;
        return lane->dead || sim->unhurried;
    }
    if (lane->dead && dice_below(&sim->dice, 60) == 0)
        lane->dead = false;
    if (lane->sent_count > 0 && (sim->unhurried || dice_below(&sim->dice, 4) == 0)) {
        ack(sim, node);
        return true;
    }
    if (kind != SNK_ARCHIVE || lane->synced >= ended)
        return false;
    judge_synced(sim, node);
    lane->synced = ended;
    sim_trace(sim, "sync lane=%u count=%u", node, ended);
    sink_look(sim, node);
    return true;
}
