/* plan.c - see plan.h. */
#include "plan.h"

#include <afferent/words.h>

#include <stdio.h>
#include <string.h>

static const char *const word_names[WORDS] = { "text", "severity", "state", "rule", "place", "to", "step", "code", "by", "since" };

static const struct step_config *step_at(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->steps.items + (size_t)i * c->steps.stride);
}

static const struct person_config *person_at(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->people.items + (size_t)i * c->people.stride);
}

static const char *text_at(const struct aff_list *list, uint32_t i)
{
    return *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride);
}

static int32_t choice_at(const struct aff_list *list, uint32_t i)
{
    return *(const int32_t *)(const void *)((const char *)list->items + (size_t)i * list->stride);
}

enum word word_of(const struct piece *piece)
{
    uint32_t i;

    for (i = 0; i < WORDS; i++)
        if (strlen(word_names[i]) == piece->length && memcmp(word_names[i], piece->at, piece->length) == 0)
            break;
    return (enum word)i;
}

/* ---- numbers ---- */

bool number_read(const char *text, uint32_t length, char ret_number[NUMBER_MOST + 2])
{
    bool is_abroad = length > 1 && text[0] == '0' && text[1] == '0';
    uint32_t i = is_abroad ? 2 : 0, count = 0, digits;

    if (is_abroad || (length > 0 && text[0] == '+'))
        ret_number[count++] = '+';
    if (count && !is_abroad)
        i = 1;
    for (digits = 0; i < length; i++) {
        if (memchr(" -().", text[i], 5))
            continue;
        if (text[i] < '0' || text[i] > '9' || digits++ == NUMBER_MOST)
            return false;
        ret_number[count++] = text[i];
    }
    ret_number[count] = 0;
    return digits >= 3;
}

bool number_is(const char *one, const char *other)
{
    return *one && strcmp(one + (*one == '+'), other + (*other == '+')) == 0;
}

/* ---- who there is ---- */

/* A name that a log and a message can show. */
static bool name_is_good(const char *name)
{
    return name && *name && strlen(name) <= PERSON_MOST && !strpbrk(name, "\n\r\t{}\"");
}

static uint32_t person_find(const struct plan *p, const char *name)
{
    uint32_t i;

    for (i = 0; i < p->people_count && strcmp(p->people[i].name, name) != 0; i++)
        continue;
    return i;
}

/* Where no people are written, they are who the steps name. */
static bool people_open(struct plan *p, const struct config *c)
{
    uint32_t i, k;

    p->people_count = 0;
    for (i = 0; i < c->people.count; i++) {
        const struct person_config *person = person_at(c, i);

        p->people[p->people_count] = (struct person){ .name = person->name, .mail = person->mail };
        if (person->number && !number_read(person->number, (uint32_t)strlen(person->number), p->people[p->people_count].number))
            p->people[p->people_count].number[0] = 0;
        p->people_count++;
    }
    for (i = 0; i < c->steps.count && c->people.count == 0; i++)
        for (k = 0; k < step_at(c, i)->to.count; k++) {
            const char *name = text_at(&step_at(c, i)->to, k);

            if (person_find(p, name) < p->people_count)
                continue;
            if (p->people_count == PEOPLE_MOST)
                return false;
            p->people[p->people_count++] = (struct person){ .name = name };
        }
    return true;
}

static struct step step_open(const struct plan *p, const struct step_config *c)
{
    struct step s = { c->after, c->repeat_every, c->repeat_every ? 1 + (uint32_t)c->repeat_most : 1, 0, 0 };
    uint32_t i;

    for (i = 0; i < c->to.count; i++)
        s.who |= 1u << person_find(p, text_at(&c->to, i));
    for (i = 0; i < c->severity.count; i++)
        s.severities |= 1u << choice_at(&c->severity, i);
    s.severities |= 1u << SEVERITIES; /* a class that is none of ours is everybody's */
    return s;
}

void plan_open(struct plan *p, const struct config *c)
{
    uint32_t i;

    memset(p, 0, sizeof *p);
    (void)people_open(p, c);
    for (i = 0; i < c->steps.count; i++)
        p->steps[p->step_count++] = step_open(p, step_at(c, i));
    (void)template_read(c->text, &p->text);
    (void)template_read(c->over, &p->over);
    p->words = &c->words;
    p->most = (uint32_t)c->most;
}

/* ---- what is wrong ---- */

/* Says a problem; evaluates to false. */
#define WRONG(report, option, ...) ((report)->problem((report), (option), __VA_ARGS__), false)

/* Of one of the people, by its row. */
static bool person_check(const struct config *c, uint32_t i, const struct aff_report *r)
{
    const struct person_config *one = person_at(c, i);
    char path[48], number[NUMBER_MOST + 2], other[NUMBER_MOST + 2];
    uint32_t k;

    (void)snprintf(path, sizeof path, "people[%u].%s", (unsigned)i, name_is_good(one->name) ? "number" : "name");
    if (!name_is_good(one->name))
        return WRONG(r, path, "a person's name is empty, too long or has signs that a log cannot show; expected at most %d "
                     "letters, such as \"on-call\"; write it so", (int)PERSON_MOST);
    if (one->number && !number_read(one->number, (uint32_t)strlen(one->number), number))
        return WRONG(r, path, "%s has a number that is none; expected one with its country, such as \"+39 123 4567\"; "
                     "write it so", one->name);
    for (k = 0; k < i; k++) {
        const struct person_config *before = person_at(c, k);

        if (strcmp(before->name, one->name) == 0)
            return WRONG(r, path, "two people are called %s; expected a name of its own for each; rename one", one->name);
        if (one->number && before->number && number_read(before->number, (uint32_t)strlen(before->number), other) &&
            number_is(number, other))
            return WRONG(r, path, "%s has the number of %s; expected a number of its own for each, since a reply is known "
                         "by it; take one out", one->name, before->name);
    }
    return true;
}

static bool people_check(const struct config *c, const struct aff_report *r)
{
    bool ok = true;
    uint32_t i;

    for (i = 0; i < c->people.count && ok; i++)
        ok = person_check(c, i, r);
    return ok;
}

/* Whom a step names must be there: an alarm to nobody is worse than none. */
static bool names_check(const struct config *c, uint32_t step, const struct aff_report *r)
{
    struct plan people = { .people_count = 0 };
    char path[48];
    uint32_t i, k;

    (void)people_open(&people, c);
    for (i = 0; i < step_at(c, step)->to.count; i++) {
        const char *name = text_at(&step_at(c, step)->to, i);
        struct aff_guess guess = { .word = name };

        (void)snprintf(path, sizeof path, "steps[%u].to", (unsigned)step);
        if (!name_is_good(name))
            return WRONG(r, path, "a name is empty, too long or has signs that a log cannot show; expected at most "
                              "%d letters, such as \"nurse\"; write it so", (int)PERSON_MOST);
        if (person_find(&people, name) < people.people_count)
            continue;
        for (k = 0; k < people.people_count; k++)
            aff_guess_offer(&guess, people.people[k].name);
        return WRONG(r, path, "step %u tells %s, who is not among people; expected one of them; %s%s%s",
                          (unsigned)step + 1, name, guess.best ? "did you mean " : "add a line for them there",
                          guess.best ? guess.best : "", guess.best ? "?" : "");
    }
    return true;
}

static bool steps_check(const struct config *c, const struct aff_report *r)
{
    char path[48];
    uint32_t i;

    for (i = 0; i < c->steps.count; i++) {
        const struct step_config *s = step_at(c, i);

        (void)snprintf(path, sizeof path, "steps[%u].after", (unsigned)i);
        if (!names_check(c, i, r))
            return false;
        if (i > 0 && s->after < step_at(c, i - 1)->after)
            return WRONG(r, path, "step %u comes before step %u; expected them in the order of their times; swap "
                              "them", (unsigned)i + 1, (unsigned)i);
    }
    return true;
}

static bool text_check(const char *option, const char *text, const struct aff_report *r)
{
    struct template t;
    const char *problem = template_read(text, &t);
    uint32_t i;

    if (problem)
        return WRONG(r, option, "the text %s", problem);
    for (i = 0; i < t.count; i++)
        if (t.pieces[i].name && word_of(&t.pieces[i]) == WORDS)
            return WRONG(r, option, "the text names {%.*s}, which is not there; expected {text}, {severity}, {state}, "
                              "{rule}, {place}, {to}, {step}, {code}, {by} or {since}; write one of these",
                              (int)t.pieces[i].length, t.pieces[i].at);
    return true;
}

static bool words_check(const struct config *c, const struct aff_report *r)
{
    uint32_t i;

    for (i = 0; i < c->words.count; i++) {
        const char *word = text_at(&c->words, i);

        if (!*word || strlen(word) > PERSON_MOST || strpbrk(word, " .,;:!?\n\r\t"))
            return WRONG(r, "words", "a word of an answer is empty, long or more than one; expected one word such as "
                              "\"ok\"; write it so");
    }
    return true;
}

bool plan_check(const struct config *c, const struct aff_report *report)
{
    struct plan people;

    if (c->people.count == 0 && !people_open(&people, c))
        return WRONG(report, "steps", "the steps name more than %d people; expected fewer; use two nodes",
                     (int)PEOPLE_MOST);
    return (int)(people_check(c, report) && steps_check(c, report)) & (int)text_check("text", c->text, report) &
           (int)text_check("over", c->over, report) & (int)words_check(c, report);
}
