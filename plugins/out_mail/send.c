/* send.c - the thread of the post office: what is due is sent, what came back is noted.
 *
 * Mails go in the order in which they were made; one that has to wait lets those behind
 * it by. Where all places are taken, the oldest that somebody has is let go of, so that
 * one address that is full for days keeps nothing from the others.
 *
 * Not here: what the lane calls (post.c). */
#include "post_inside.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define AWAY_FIRST (500 * MS)
#define AWAY_LAST (60 * SECOND)
#define LATER_FIRST (250 * MS)
#define LATER_LAST (300 * SECOND)
#define IDLE (60 * SECOND)

/* ---- waits ---- */

static int64_t wait_longer(int64_t wait, int64_t first, int64_t last)
{
    return wait == 0 ? first : wait >= last / 2 ? last : wait * 2;
}

/* Less up to a quarter, so that the nodes of a ward don't come back in one moment. */
static int64_t less_by_chance(struct post *p, int64_t ns)
{
    p->random ^= p->random << 13; /* Marsaglia 2003, xorshift64 */
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return ns - (int64_t)(p->random % (uint64_t)(ns / 4));
}

/* ---- the hour's limit ---- */

/* Half of the hour's mails may go at once, the others one by one over the hour: so in
 * no hour there are more than all of them. */
static int64_t limit_step(const struct config *c)
{
    int64_t at_once = c->mails_per_hour > 1 ? c->mails_per_hour / 2 : 1, rest = c->mails_per_hour - at_once;

    return HOUR / (rest > 0 ? rest : 1);
}

/* When the next may go. */
static int64_t limit_time(const struct post *p)
{
    int64_t at_once = p->config->mails_per_hour > 1 ? p->config->mails_per_hour / 2 : 1;

    return p->paid_ns - (at_once - 1) * limit_step(p->config);
}

static void limit_pay(struct post *p, int64_t now)
{
    p->paid_ns = (p->paid_ns > now ? p->paid_ns : now) + limit_step(p->config);
}

/* ---- the end of a mail ---- */

static uint32_t parts_in(const struct post *p, const struct mail *m, enum part_state state)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->config->to.count; i++)
        n += m->parts[i] == (uint8_t)state;
    return n;
}

static void mail_settle(struct post *p, struct mail *m)
{
    bool is_told = parts_in(p, m, PART_TOLD) > 0;
    char words[WORDS_MOST];

    (void)snprintf(words, sizeof words, "SMTP %u", (unsigned)m->code);
    for (uint32_t i = 0; i < m->count; i++)
        p->host->answer(p->host, m->ids[i], is_told ? AFF_OK : AFF_ERR_DATA, is_told ? 0 : VERDICT_REFUSED,
                        is_told ? NULL : m->code ? words : "not taken in time");
    p->news.counts[COUNT_TOLD] += is_told ? m->count : 0;
    m->count = 0;
    m->letter.size = 0;
}

/* Those that wait go without. */
static void mail_give_up(struct post *p, struct mail *m)
{
    for (uint32_t i = 0; i < p->config->to.count; i++)
        if (m->parts[i] == PART_LATER || m->parts[i] == PART_FREE) {
            m->parts[i] = PART_REFUSED;
            p->news.counts[COUNT_REFUSED]++;
            p->news.missed |= parts_in(p, m, PART_TOLD) > 0;
        }
    mail_settle(p, m);
}

/* After each address was tried: done, or all that wait together a while later. */
static void mail_round(struct post *p, struct mail *m, int64_t now)
{
    if (parts_in(p, m, PART_FREE) > 0)
        return;
    if (parts_in(p, m, PART_LATER) == 0) {
        mail_settle(p, m);
        return;
    }
    if (now - m->begun_ns >= p->config->retry_for) {
        mail_give_up(p, m);
        return;
    }
    for (uint32_t i = 0; i < p->config->to.count; i++)
        if (m->parts[i] == PART_LATER)
            m->parts[i] = PART_FREE;
    m->wait_ns = wait_longer(m->wait_ns, LATER_FIRST, LATER_LAST);
    m->next_ns = now + less_by_chance(p, m->wait_ns);
}

/* ---- a new mail ---- */

static struct mail *mail_place(struct post *p)
{
    struct mail *old = NULL;

    for (uint32_t i = 0; i < MAILS_MOST; i++) {
        struct mail *m = &p->mails[i];

        if (m->count == 0)
            return m;
        if (parts_in(p, m, PART_TOLD) > 0 && (!old || m->number < old->number))
            old = m;
    }
    if (old)
        mail_give_up(p, old);
    return old;
}

/* When what was gathered is to go. */
static int64_t gathered_due(const struct post *p)
{
    int64_t due = p->first_ns + p->config->batch_time, limit = limit_time(p);

    if (p->count == 0 || p->fills)
        return INT64_MAX;
    if (p->flush || p->count >= (uint32_t)p->config->batch_records)
        due = p->first_ns;
    return due > limit ? due : limit;
}

static bool letter_make(struct post *p, struct mail *m)
{
    struct letter letter = { p->config, p->items, p->count, post_now() + p->ahead_ns, p->clock != AFF_CLOCK_NONE };

    m->letter.size = 0;
    letter_write(&m->letter, &letter);
    if (!m->letter.failed)
        return true;
    text_free(&m->letter);
    return false;
}

static void mail_make(struct post *p, int64_t now)
{
    struct mail *m = gathered_due(p) <= now ? mail_place(p) : NULL;
    uint32_t listed = (uint32_t)p->config->batch_records;

    if (!m || !letter_make(p, m))
        return;
    for (uint32_t i = 0; i < p->count; i++)
        m->ids[i] = p->items[i].id;
    m->count = p->count;
    m->number = p->next_number++;
    m->code = 0;
    m->begun_ns = m->next_ns = now;
    m->wait_ns = 0;
    memset(m->parts, PART_FREE, sizeof m->parts);
    p->news.counts[COUNT_ONLY_COUNTED] += p->count > listed ? p->count - listed : 0;
    p->count = 0;
    p->flush = false;
    limit_pay(p, now);
}

/* ---- sending ---- */

/* False: by the pipeline's rules nothing may go out now. */
static bool link_take(struct post *p)
{
    struct aff_uplink link = { .struct_size = sizeof link };
    aff_status st = p->host->uplink(p->host, &link);

    return st != AFF_AGAIN && smtp_bind(p->smtp, st == AFF_OK ? link.interface : "");
}

static struct mail *mail_due(struct post *p, int64_t now)
{
    struct mail *first = NULL;

    if (p->is_failing && now < p->retry_ns)
        return NULL;
    for (uint32_t i = 0; i < MAILS_MOST; i++) {
        struct mail *m = &p->mails[i];

        if (m->count > 0 && m->next_ns <= now && (!first || m->number < first->number))
            first = m;
    }
    if (first && !link_take(p))
        return NULL;
    return first;
}

static void away_note(struct post *p, const char *why, int64_t now)
{
    p->wait_ns = wait_longer(p->wait_ns, AWAY_FIRST, AWAY_LAST);
    p->retry_ns = now + less_by_chance(p, p->wait_ns);
    p->is_failing = true;
    p->why = why;
    p->news.counts[COUNT_FAILED]++;
}

static void works_note(struct post *p)
{
    p->is_failing = false;
    p->wait_ns = 0;
}

static void result_note(struct post *p, struct mail *m, uint32_t part, struct smtp_result r)
{
    int64_t now = post_now();

    if (r.end == SMTP_AWAY) {
        away_note(p, r.why, now);
        return;
    }
    works_note(p);
    m->parts[part] = r.end == SMTP_TOLD ? PART_TOLD : r.end == SMTP_LATER ? PART_LATER : PART_REFUSED;
    p->news.counts[r.end == SMTP_TOLD ? COUNT_MAILS : r.end == SMTP_LATER ? COUNT_LATER : COUNT_REFUSED]++;
    if (r.code)
        m->code = r.code;
    if (r.end == SMTP_REFUSED) {
        if (p->said[part] != r.code)
            p->news.codes[part] = p->said[part] = r.code;
    } else if (r.end == SMTP_TOLD) {
        p->said[part] = 0;
    }
    mail_round(p, m, now);
}

static uint32_t part_next(const struct post *p, const struct mail *m)
{
    uint32_t i;

    for (i = 0; i < p->config->to.count; i++)
        if (m->parts[i] == PART_FREE)
            break;
    return i;
}

/* The lock is let go of while it sends: the lane gathers meanwhile. */
static void mail_send(struct post *p, struct mail *m)
{
    uint32_t part = part_next(p, m);
    bool more = parts_in(p, m, PART_FREE) > 1;
    struct smtp_result r;

    pthread_mutex_unlock(&p->lock);
    r = smtp_send(p->smtp, &m->letter, config_recipient(p->config, part), more);
    pthread_mutex_lock(&p->lock);
    if (p->stop)
        return;
    result_note(p, m, part, r);
    p->host->rouse(p->host);
}

/* ---- the loop ---- */

static void wait_for(struct post *p, int64_t now)
{
    int64_t until = now + IDLE, due = gathered_due(p);
    struct timespec t;

    for (uint32_t i = 0; i < MAILS_MOST; i++)
        if (p->mails[i].count > 0 && p->mails[i].next_ns < due)
            due = p->mails[i].next_ns;
    if (p->is_failing && due < p->retry_ns)
        due = p->retry_ns;
    until = due < until && due > now ? due : due <= now ? now + SECOND : until; /* due, and not done: no memory, place, link */
    t.tv_sec = until / SECOND;
    t.tv_nsec = until % SECOND;
    (void)pthread_cond_timedwait(&p->stirs, &p->lock, &t);
}

/* Signals are the process's: none is for this thread. */
void *post_run(void *post)
{
    struct post *p = post;
    sigset_t all;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    (void)prctl(PR_SET_NAME, "out_mail");
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        int64_t now = post_now();
        struct mail *m;

        mail_make(p, now);
        m = mail_due(p, now);
        if (m)
            mail_send(p, m);
        else
            wait_for(p, now);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}
