/* link_rules.c - see link_rules.h. */
#include "flow/link_rules.h"

struct allowed {
    int limit;
    enum link_wait why;
};

static void lower(struct allowed *a, bool applies, int limit, enum link_wait why)
{
    if (applies && limit < a->limit)
        *a = (struct allowed){ limit, why };
}

/* By a link that is up. A budget counts what costs. */
static struct allowed allowed_by(const struct link_rules *rules, const struct link_view *view, struct link_spent spent)
{
    struct allowed a = { AFF_PRIO_BULK, LINK_WAIT_NONE };
    uint32_t technology = view->technology < LINK_TECHNOLOGIES ? view->technology : 0;

    lower(&a, true, rules->technology[technology], LINK_WAIT_TECHNOLOGY);
    lower(&a, view->is_metered, rules->metered, LINK_WAIT_METERED);
    lower(&a, view->is_roaming, rules->roaming, LINK_WAIT_ROAMING);
    lower(&a, view->is_metered && spent.day, rules->when_spent, LINK_WAIT_DAY);
    lower(&a, view->is_metered && spent.month, rules->when_spent, LINK_WAIT_MONTH);
    return a;
}

/* Who names no link has one that is always there, and whose every byte counts. */
static struct link_choice choose_unnamed(const struct link_rules *rules, struct link_spent spent)
{
    struct allowed a = { AFF_PRIO_BULK, LINK_WAIT_NONE };

    lower(&a, spent.day, rules->when_spent, LINK_WAIT_DAY);
    lower(&a, spent.month, rules->when_spent, LINK_WAIT_MONTH);
    return (struct link_choice){ LINK_NO_LINK, a.limit, a.why, INT64_MAX };
}

/* One that failed is better than none: the one that may be tried again first. */
static bool is_better(const struct link_view *views, uint32_t one, uint32_t than, int64_t now)
{
    int64_t a = views[one].free_ns > now ? views[one].free_ns : now;

    return than == LINK_NO_LINK || a < (views[than].free_ns > now ? views[than].free_ns : now);
}

struct link_choice link_choose(const struct link_rules *rules, const struct link_view *views, struct link_spent spent,
                               int64_t now)
{
    struct link_choice c = { LINK_NO_LINK, LINK_NOTHING, LINK_WAIT_UNKNOWN, INT64_MAX };
    struct allowed a;
    uint32_t i;

    if (rules->link_count == 0)
        return choose_unnamed(rules, spent);
    for (i = 0; i < rules->link_count; i++) {
        if (!views[i].is_known || !views[i].is_up) {
            if (views[i].is_known && c.why == LINK_WAIT_UNKNOWN && c.link == LINK_NO_LINK)
                c.why = LINK_WAIT_DOWN;
            continue;
        }
        a = allowed_by(rules, &views[i], spent);
        if (a.limit == LINK_NOTHING && c.link == LINK_NO_LINK && c.why <= LINK_WAIT_DOWN)
            c.why = a.why; /* one that is up and may not be used says more than one that is down */
        if (a.limit == LINK_NOTHING || !is_better(views, i, c.link, now))
            continue;
        c.link = i;
        c.limit = a.limit;
        c.why = a.why;
    }
    for (i = 0; i < rules->link_count && i != c.link; i++)
        if (views[i].is_known && views[i].is_up && views[i].free_ns > now && views[i].free_ns < c.again_ns)
            c.again_ns = views[i].free_ns;
    return c;
}

const char *link_wait_word(enum link_wait wait)
{
    static const char *const words[] = {
        [LINK_WAIT_NONE] = "",
        [LINK_WAIT_UNKNOWN] = "no link is known yet",
        [LINK_WAIT_DOWN] = "no link is up",
        [LINK_WAIT_METERED] = "metered",
        [LINK_WAIT_ROAMING] = "roaming",
        [LINK_WAIT_TECHNOLOGY] = "technology",
        [LINK_WAIT_DAY] = "per_day is spent",
        [LINK_WAIT_MONTH] = "per_month is spent",
    };

    return words[wait];
}
