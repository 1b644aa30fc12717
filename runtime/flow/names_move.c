/* names_move.c - nodes take over from others in the table of names, for a reload; streams
 * that have ended are found again by who still keeps records of them.
 *
 * Not here: the table itself (names.c). */
#include <string.h>

#include "flow/names_inside.h"

uint32_t names_kept(const struct names *n, const char *subject, const char *stream, const uint32_t *kept)
{
    uint32_t i, found = 0;

    for (i = 1; i <= n->stream_top; i++) {
        const struct stream *s = &n->streams[i];

        if (kept[i] > 0 && s->name && strcmp(s->name, stream) == 0 &&
            strcmp(n->subjects[s->info.subject].name, subject) == 0 &&
            (found == 0 || n->subjects[s->info.subject].born < n->subjects[n->streams[found].info.subject].born))
            found = i;
    }
    return found;
}

void names_hand_over(struct names *n, uint32_t node, uint32_t to)
{
    uint64_t from = names_node_bit(node), bit = names_node_bit(to);
    uint32_t i;

    pthread_mutex_lock(&n->lock);
    for (i = 1; i <= n->stream_top; i++)
        if (n->streams[i].name && (n->streams[i].sources & from))
            n->streams[i].sources = (n->streams[i].sources & ~from) | bit;
    for (i = 1; i <= n->subject_top; i++)
        if (n->subjects[i].name && (n->subjects[i].claims & from))
            n->subjects[i].claims = (n->subjects[i].claims & ~from) | bit;
    atomic_fetch_add(&n->changes, 1);
    pthread_mutex_unlock(&n->lock);
}

/* As if it had ended all its streams, in an epoch that is committed. */
void names_leave(struct names *n, uint32_t node)
{
    uint64_t bit = names_node_bit(node);
    bool touched[NAMES_SUBJECTS + 1] = { false };
    uint32_t i;

    pthread_mutex_lock(&n->lock);
    for (i = 1; i <= n->stream_top; i++) {
        struct stream *s = &n->streams[i];

        if (!s->name || !(s->sources & bit))
            continue;
        s->sources &= ~bit;
        n->subjects[s->info.subject].by_source -= s->sources == 0;
        touched[s->info.subject] = true;
    }
    for (i = 1; i <= n->subject_top; i++) {
        struct subject *s = &n->subjects[i];

        touched[i] |= s->name && (s->claims & bit);
        s->claims &= ~bit;
        if (touched[i] && s->by_source == 0 && s->claims == 0)
            names_ending(n, i);
    }
    atomic_fetch_add(&n->changes, 1);
    pthread_mutex_unlock(&n->lock);
}
