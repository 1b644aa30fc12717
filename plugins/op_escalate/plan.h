/* plan.h - whom to tell and when: as written, as checked, as compiled.
 *
 * Not here: which alerts there are and what was told (ladder.h). */
#ifndef OP_ESCALATE_PLAN_H
#define OP_ESCALATE_PLAN_H

#include <afferent/plugin.h>

#include <stdbool.h>

#include <alert_rows/columns.h>
#include <alert_rows/template.h>

enum { STEPS_MOST = 16, PEOPLE_MOST = 32, TO_MOST = 8, WORDS_MOST = 16, PERSON_MOST = 47, NUMBER_MOST = 20 };

struct step_config {
    struct aff_list to; /* const char * */
    int64_t after, repeat_every, repeat_most;
    struct aff_list severity; /* int32_t */
};

struct person_config {
    const char *name, *number, *mail;
};

struct config {
    struct aff_list steps;  /* struct step_config */
    struct aff_list people; /* struct person_config */
    const char *text, *over;
    struct aff_list words; /* const char * */
    int64_t most;
};

/* Names in texts. */
enum word {
    WORD_TEXT,
    WORD_SEVERITY,
    WORD_STATE,
    WORD_RULE,
    WORD_PLACE,
    WORD_TO,
    WORD_STEP,
    WORD_CODE,
    WORD_BY,
    WORD_SINCE,
    WORDS
};

struct step {
    int64_t after_ns, every_ns;
    uint32_t most;       /* tellings, the first and its repeats */
    uint32_t who;        /* a bit a person */
    uint32_t severities; /* a bit a severity */
};

/* Texts are borrowed from the options; mail is NULL where not written. */
struct person {
    const char *name, *mail;
    char number[NUMBER_MOST + 2]; /* as a modem dials it, "+391234567"; empty: none */
};

struct plan {
    struct step steps[STEPS_MOST];
    struct person people[PEOPLE_MOST];
    uint32_t step_count, people_count, most;
    struct template text, over;
    const struct aff_list *words;
};

/* Says what is wrong; false when anything was. */
bool plan_check(const struct config *c, const struct aff_report *report);
/* From options that plan_check found good. */
void plan_open(struct plan *p, const struct config *c);

/* Which name a piece of a text is; WORDS: none of ours. */
enum word word_of(const struct piece *piece);

/* A telephone number without what sets its digits apart, and with + for 00. False: it
 * has other signs, too few digits or too many. */
bool number_read(const char *text, uint32_t length, char ret_number[NUMBER_MOST + 2]);
/* Whether two of these are the same; the + is not told everywhere. */
bool number_is(const char *one, const char *other);

#endif
