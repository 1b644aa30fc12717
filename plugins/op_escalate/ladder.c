/* ladder.c - see ladder.h. */
#include "ladder.h"

#include <string.h>

size_t subject_size(const struct plan *p)
{
    return sizeof(struct subject) + p->most * sizeof(struct alert);
}

/* ---- steps ---- */

static bool is_for(const struct step *s, uint32_t severity)
{
    return (s->severities >> severity & 1u) != 0;
}

static const struct moment never = { INT64_MAX, INT64_MAX };

static struct moment rung_due(const struct plan *p, const struct alert *a, uint32_t step)
{
    const struct step *s = &p->steps[step];
    const struct rung *r = &a->rungs[step];
    const struct moment *from = r->given == 0 ? &a->raised : &r->told;
    int64_t wait = r->given > 0 ? s->every_ns : step < a->hurry ? 0 : s->after_ns;

    if (!is_for(s, a->severity) || r->given >= s->most)
        return never;
    /* At the end of time all is due: INT64_MAX would be never. */
    return (struct moment){ from->own_ns < INT64_MAX - 1 - wait ? from->own_ns + wait : INT64_MAX - 1,
                            time_add(from->boot_ns, wait) };
}

static void moment_least(struct moment *least, struct moment one)
{
    least->own_ns = one.own_ns < least->own_ns ? one.own_ns : least->own_ns;
    least->boot_ns = one.boot_ns < least->boot_ns ? one.boot_ns : least->boot_ns;
}

struct moment ladder_due(const struct plan *p, const struct alert *a)
{
    struct moment due = never;
    uint32_t i;

    for (i = 0; i < p->step_count && a->is_open && !a->is_acknowledged; i++)
        moment_least(&due, rung_due(p, a, i));
    return due;
}

struct moment subject_due(const struct plan *p, const struct subject *s)
{
    struct moment due = never;
    uint32_t i;

    for (i = 0; i < p->most; i++)
        moment_least(&due, ladder_due(p, &s->alerts[i]));
    return due;
}

/* The lowest person of a set, from `from` on; PEOPLE_MOST: none. */
static uint32_t person_from(uint32_t set, uint32_t from)
{
    while (from < PEOPLE_MOST && !(set >> from & 1u))
        from++;
    return from;
}

bool ladder_next(const struct plan *p, const struct alert *a, int64_t now_ns, struct call *ret)
{
    uint32_t i;

    for (i = 0; i < p->step_count && a->is_open && !a->is_acknowledged; i++) {
        const struct rung *r = &a->rungs[i];
        int64_t due = rung_due(p, a, i).own_ns;

        if (due == INT64_MAX || due > now_ns)
            continue;
        ret->step = i;
        ret->person = person_from(p->steps[i].who & ~r->partly, 0);
        ret->count = r->given;
        ret->state = a->told >> ret->person & 1u ? STATE_REPEATED : STATE_RAISED;
        return true;
    }
    return false;
}

void ladder_done(const struct plan *p, struct alert *a, const struct moment *now, const struct call *c)
{
    struct rung *r = &a->rungs[c->step];

    a->told |= 1u << c->person;
    r->partly |= 1u << c->person;
    if (r->partly != p->steps[c->step].who)
        return;
    r->partly = 0;
    r->given++;
    r->told = *now;
}

bool ladder_hurry(const struct plan *p, struct alert *a, uint32_t step)
{
    uint32_t next = step + 1;

    while (next < p->step_count && !is_for(&p->steps[next], a->severity))
        next++;
    if (next >= p->step_count || next < a->hurry || a->rungs[next].given > 0)
        return false;
    a->hurry = (uint8_t)(next + 1);
    return true;
}

/* ---- who ---- */

/* The first step that names the person; it says why they are told. */
static uint32_t step_of(const struct plan *p, uint32_t person, uint32_t severity)
{
    uint32_t i;

    for (i = 0; i + 1 < p->step_count; i++)
        if (is_for(&p->steps[i], severity) && (p->steps[i].who >> person & 1u))
            break;
    return i;
}

bool ladder_told(const struct plan *p, const struct alert *a, struct call *ret)
{
    ret->person = person_from(a->told, ret->person);
    if (ret->person == PEOPLE_MOST)
        return false;
    ret->step = step_of(p, ret->person, a->severity);
    ret->count = a->rungs[ret->step].given;
    return true;
}

static uint32_t all_of(const struct plan *p, uint32_t severity)
{
    uint32_t i, all = 0;

    for (i = 0; i < p->step_count; i++)
        all |= is_for(&p->steps[i], severity) ? p->steps[i].who : 0;
    return all;
}

bool ladder_all(const struct plan *p, uint32_t severity, struct call *ret)
{
    ret->person = person_from(all_of(p, severity), ret->person);
    if (ret->person == PEOPLE_MOST)
        return false;
    ret->step = step_of(p, ret->person, severity);
    ret->count = 0;
    return true;
}

bool ladder_has(const struct plan *p, uint32_t severity)
{
    return all_of(p, severity) != 0;
}

/* ---- alerts ---- */

struct alert *alert_find(const struct plan *p, struct subject *s, const char *id, size_t length)
{
    uint32_t i;

    for (i = 0; i < p->most; i++)
        if (s->alerts[i].is_open && strlen(s->alerts[i].id) == length && memcmp(s->alerts[i].id, id, length) == 0)
            return &s->alerts[i];
    return NULL;
}

/* An end may never come (a device that was taken away): what somebody knows of makes
 * room for what nobody does. */
struct alert *alert_slot(const struct plan *p, struct subject *s)
{
    struct alert *oldest = NULL;
    uint32_t i;

    for (i = 0; i < p->most; i++) {
        struct alert *a = &s->alerts[i];

        if (!a->is_open)
            return a;
        if (a->is_acknowledged && (!oldest || a->raised.own_ns < oldest->raised.own_ns))
            oldest = a;
    }
    return oldest;
}

/* FNV-1a (Fowler, Noll, Vo), then the finalizer of splitmix64 (Steele, Lea and Flood
 * 2014, OOPSLA): neighbouring names give numbers that have nothing in common. */
uint64_t name_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);

uint32_t alert_code(const char *id, int64_t event_ns)
{
    return (uint32_t)((name_hash(id) ^ (uint64_t)event_ns * golden) % 1000000u);
}

/* Twelve digits of the alert, two of the step, two of the person. */
enum { CALL_PERSONS = 100, CALL_STEPS = 100 };

int64_t call_number(const struct alert *a, uint32_t step, uint32_t person)
{
    uint64_t whose = (name_hash(a->id) ^ a->code * golden) % UINT64_C(1000000000000);

    return (int64_t)((whose * CALL_STEPS + step + 1) * CALL_PERSONS + person + 1);
}

bool call_read(const struct plan *p, int64_t number, uint32_t *ret_step, uint32_t *ret_person)
{
    if (number < 0)
        return false;
    *ret_person = (uint32_t)(number % CALL_PERSONS) - 1;
    *ret_step = (uint32_t)(number / CALL_PERSONS % CALL_STEPS) - 1;
    return *ret_person < p->people_count && *ret_step < p->step_count;
}

uint32_t plan_hash(const struct plan *p)
{
    uint64_t hash = p->step_count;
    uint32_t i;

    for (i = 0; i < p->people_count; i++)
        hash = hash * 31 + name_hash(p->people[i].name);
    for (i = 0; i < p->step_count; i++) {
        const struct step *s = &p->steps[i];

        hash = hash * 31 + (uint64_t)s->after_ns;
        hash = hash * 31 + (uint64_t)s->every_ns;
        hash = hash * 31 + ((uint64_t)s->most << 32 | s->who);
        hash = hash * 31 + s->severities;
    }
    return (uint32_t)(hash ^ hash >> 32);
}
