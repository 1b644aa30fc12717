/* send.c - the thread of the post office: what is due is sent, what came back is noted.
 *
 * Mails go in the order in which they were made; one that has to wait lets those behind
 * it by. Where all places are taken, the oldest that somebody has is let go of, so that
 * one address that is full for days keeps nothing from the others.
 *
 * Not here: what the lane calls (post.c). */
#include "post_inside.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define AWAY_FIRST (500 * MS)
#define AWAY_LAST (60 * SECOND)
#define DENIED_WAIT (300 * SECOND)
#define LATER_FIRST (250 * MS)
#define LATER_LAST (300 * SECOND)
#define IDLE (60 * SECOND)
#define LATE_SAID (60 * SECOND) /* greylisting is shorter for the most part, and no news */
enum { PATIENCE_MOST = 2 }; /* times that the time for a mail doubles */

/* ---- the hour's limit ---- */

static int64_t limit_at_once(const struct config *c)
{
    return c->mails_per_hour > 1 ? c->mails_per_hour / 2 : 1;
}

/* Half of the hour's mails may go at once, the others one by one over the hour: so in
 * no hour there are more than all of them. */
static int64_t limit_step(const struct config *c)
{
    int64_t rest = c->mails_per_hour - limit_at_once(c);

    return HOUR / (rest > 0 ? rest : 1);
}

/* When the next may go. A quarter of those at once is kept for what is high: that must not
 * wait behind a flood of what is not. */
static int64_t limit_time(const struct post *p)
{
    int64_t at_once = limit_at_once(p->config), kept = p->has_high ? 0 : (at_once + 2) / 4;

    return p->paid_ns - (at_once - kept - 1) * limit_step(p->config);
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
    if (m->waited_ns >= p->config->retry_for) {
        mail_give_up(p, m);
        return;
    }
    for (uint32_t i = 0; i < p->config->to.count; i++)
        if (m->parts[i] == PART_LATER)
            m->parts[i] = PART_FREE;
    m->wait_ns = net_wait_longer(m->wait_ns, LATER_FIRST, LATER_LAST);
    m->waited_ns += m->wait_ns;
    m->next_ns = now + net_less_by_chance(&p->random, m->wait_ns);
}

/* ---- a new mail ---- */

static struct mail *mail_place(struct post *p)
{
    struct mail *old = NULL;

    for (uint32_t i = 0; i < MAILS_MOST; i++) {
        struct mail *m = &p->mails[i];

        if (m->count == 0)
            return m;
        if (m->wait_ns > 0 && parts_in(p, m, PART_TOLD) > 0 && (!old || m->number < old->number))
            old = m; /* each of the others was asked, and somebody has it */
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
    uint32_t listed;

    m->letter.size = 0;
    listed = letter_write(&m->letter, &letter);
    if (!m->letter.failed) {
        p->news.counts[COUNT_ONLY_COUNTED] += p->count - listed;
        return true;
    }
    text_free(&m->letter);
    return false;
}

static void mail_make(struct post *p, int64_t now)
{
    struct mail *m = gathered_due(p) <= now ? mail_place(p) : NULL;

    if (!m || !letter_make(p, m))
        return;
    for (uint32_t i = 0; i < p->count; i++)
        m->ids[i] = p->items[i].id;
    m->count = p->count;
    m->number = p->next_number++;
    m->code = 0;
    m->unsure = 0;
    m->next_ns = now;
    m->wait_ns = m->waited_ns = 0;
    memset(m->parts, PART_FREE, sizeof m->parts);
    p->count = 0;
    p->has_high = p->flush = false;
    limit_pay(p, now);
}

/* ---- sending ---- */

/* False: by the pipeline's rules nothing may go out now. */
static bool link_take(struct post *p)
{
    p->link = (struct aff_uplink){ .struct_size = sizeof p->link };
    p->link_status = p->host->uplink(p->host, &p->link);
    return p->link_status != AFF_AGAIN && smtp_bind(p->smtp, p->link_status, &p->link);
}

/* What went by it, and whether anybody answered. */
static void link_tell(struct post *p, struct smtp_result r)
{
    bool came_through = r.end == SMTP_TOLD || r.code > 0;
    uint64_t sent, received;

    smtp_spent(p->smtp, &sent, &received);
    if (sent > 0 || received > 0)
        p->host->link_spent(p->host, p->link.index, sent, received);
    if (p->link_status == AFF_OK)
        p->host->link_tried(p->host, p->link.index, came_through ? AFF_OK : AFF_ERR_IO);
}

/* Addresses that could take their last mail come first: one that hangs costs the others
 * no more than the time that it has. */
static uint32_t part_next(const struct post *p, const struct mail *m)
{
    uint32_t next = 0;
    bool found = false;

    for (uint32_t i = 0; i < p->config->to.count; i++)
        if (m->parts[i] == PART_FREE && (!found || (p->is_late[next] && !p->is_late[i]))) {
            next = i;
            found = true;
        }
    return next;
}

static bool is_before(const struct post *p, const struct mail *m, const struct mail *other)
{
    bool late = p->is_late[part_next(p, m)], other_late = p->is_late[part_next(p, other)];

    return late != other_late ? other_late : m->number < other->number;
}

static struct mail *mail_due(struct post *p, int64_t now)
{
    struct mail *first = NULL;

    if (p->is_failing && now < p->retry_ns)
        return NULL;
    for (uint32_t i = 0; i < MAILS_MOST; i++) {
        struct mail *m = &p->mails[i];

        if (m->count > 0 && m->next_ns <= now && (!first || is_before(p, m, first)))
            first = m;
    }
    if (first && !link_take(p))
        return NULL;
    return first;
}

static void away_note(struct post *p, struct smtp_result r, int64_t now)
{
    p->wait_ns = net_wait_longer(p->wait_ns, AWAY_FIRST, AWAY_LAST);
    if (r.is_denied && p->denials++ > 0)
        p->wait_ns = DENIED_WAIT;
    p->retry_ns = now + net_less_by_chance(&p->random, p->wait_ns);
    p->is_failing = true;
    p->why = r.why;
    p->news.counts[COUNT_FAILED]++;
}

static void works_note(struct post *p)
{
    p->is_failing = false;
    p->wait_ns = 0;
    p->denials = 0;
}

static void late_note(struct post *p, const struct mail *m, uint32_t part, uint16_t code)
{
    bool is_long = m->waited_ns >= LATE_SAID || m->waited_ns >= p->config->retry_for / 4;

    if (p->is_late_said[part] || !is_long)
        return;
    p->is_late_said[part] = true;
    p->news.late[part] = code ? code : SILENT;
}

static void result_note(struct post *p, struct mail *m, uint32_t part, struct smtp_result r)
{
    int64_t now = post_now();

    if (r.end == SMTP_AWAY) {
        away_note(p, r, now);
        return;
    }
    works_note(p);
    p->is_late[part] = r.end == SMTP_LATER;
    m->unsure = (uint8_t)(m->unsure + (r.is_unsure && m->unsure < PATIENCE_MOST));
    m->parts[part] = r.end == SMTP_TOLD ? PART_TOLD : r.end == SMTP_LATER ? PART_LATER : PART_REFUSED;
    p->news.counts[r.end == SMTP_TOLD ? COUNT_MAILS : r.end == SMTP_LATER ? COUNT_LATER : COUNT_REFUSED]++;
    if (r.code)
        m->code = r.code;
    if (r.end == SMTP_LATER) {
        late_note(p, m, part, r.code);
    } else if (r.end == SMTP_REFUSED) {
        if (p->said[part] != r.code)
            p->news.codes[part] = p->said[part] = r.code;
    } else {
        p->said[part] = 0;
        p->is_late_said[part] = false;
    }
    mail_round(p, m, now);
}

/* The lock is let go of while it sends: the lane gathers meanwhile. One that was given
 * and not answered gets more time: a server that looks through mails may take minutes, and
 * each attempt that ends before that is one more mail for the same person. */
static void mail_send(struct post *p, struct mail *m)
{
    uint32_t part = part_next(p, m);
    const int64_t timeout = (p->config->timeout << m->unsure) + (int64_t)m->letter.size * MS; /* slow modems carry that */
    const struct smtp_job job = { &m->letter, config_recipient(p->config, part), timeout, parts_in(p, m, PART_FREE) > 1 };
    struct smtp_result r;

    pthread_mutex_unlock(&p->lock);
    r = smtp_send(p->smtp, &job);
    pthread_mutex_lock(&p->lock);
    link_tell(p, r);
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

void *post_run(void *post)
{
    struct post *p = post;

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
