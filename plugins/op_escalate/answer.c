/* answer.c - who takes notice, and of what.
 *
 * By a row with action = "acknowledge", which names the alert by its id or its code, or
 * by rule and place, and who it is in `by`. Or by a message as a modem brings it: a
 * number in `from` that is one of the people's, and a text that begins with one of the
 * words ("ok 482915"), or is a code. Without a code it counts where that person was
 * told of one alert that is open; where of several, nobody knows which is meant, and it
 * counts for none: the steps go on, rather than that a new alarm is silenced unread.
 *
 * What cannot be used is counted, each kind for itself. Of a message nothing goes on
 * but the name that the pipeline has for its number, so neither text nor number leaves.
 *
 * Not here: what comes after it (ladder.c). */
#include "escalate.h"

#include <string.h>

enum { CODE_DIGITS = 6 };

struct answer {
    struct part alert, rule, place, by;
    uint32_t person; /* who sent a message; PEOPLE_MOST: it was a row */
    uint32_t code;
    bool has_code;
    uint8_t label; /* of by */
};

/* ---- words of a message ---- */

static bool is_gap(char c)
{
    return c == '\0' || strchr(" \t\r\n.,;:!?\"'#-", c) != NULL;
}

static struct part word_take(struct part *rest)
{
    struct part word = { NULL, 0 };

    while (rest->length > 0 && is_gap(*rest->at)) {
        rest->at++;
        rest->length--;
    }
    word.at = rest->at;
    while (word.length < rest->length && !is_gap(rest->at[word.length]))
        word.length++;
    rest->at += word.length;
    rest->length -= word.length;
    return word;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool word_is(const struct part *word, const char *ours)
{
    uint32_t i;

    if (strlen(ours) != word->length)
        return false;
    for (i = 0; i < word->length; i++)
        if (lower(word->at[i]) != lower(ours[i]))
            return false;
    return true;
}

static bool is_word(const struct plan *p, const struct part *word)
{
    uint32_t i;

    for (i = 0; i < p->words->count; i++)
        if (word_is(word, *(const char *const *)(const void *)((const char *)p->words->items + (size_t)i * p->words->stride)))
            return true;
    return false;
}

static bool code_read(const struct part *word, uint32_t *ret)
{
    uint32_t i;

    if (word->length != CODE_DIGITS)
        return false;
    for (i = 0, *ret = 0; i < CODE_DIGITS; i++) {
        if (word->at[i] < '0' || word->at[i] > '9')
            return false;
        *ret = *ret * 10 + (uint32_t)(word->at[i] - '0');
    }
    return true;
}

/* ---- reading ---- */

/* 0: read; else the verdict. */
static uint8_t message_read(const struct escalate *e, const struct part *from, struct part text, struct answer *ret)
{
    char number[NUMBER_MOST + 2];
    struct part first;

    if (!number_read(from->at, from->length, number))
        return VERDICT_STRANGER;
    ret->person = 0;
    while (ret->person < e->plan.people_count && !number_is(e->plan.people[ret->person].number, number))
        ret->person++;
    if (ret->person == e->plan.people_count)
        return VERDICT_STRANGER;
    ret->by = (struct part){ e->plan.people[ret->person].name, 0 };
    ret->by.length = (uint32_t)strlen(ret->by.at);
    ret->label = AFF_LABEL_NONE;
    if (!text.at)
        return VERDICT_NO_ANSWER;
    first = word_take(&text);
    ret->has_code = code_read(&first, &ret->code);
    if (ret->has_code)
        return 0;
    if (!is_word(&e->plan, &first))
        return VERDICT_NO_ANSWER;
    first = word_take(&text);
    ret->has_code = code_read(&first, &ret->code);
    return 0;
}

static uint8_t command_read(const struct aff_schema *s, const struct aff_record *r, struct answer *ret)
{
    static const char *const by[] = { "by" };
    struct part action = column_text(s, r, "action");

    ret->alert = column_text(s, r, "alert");
    ret->rule = column_text(s, r, "rule");
    ret->place = column_text(s, r, "place");
    ret->by = column_text(s, r, "by");
    ret->person = PEOPLE_MOST;
    ret->label = columns_label(s, by, 1);
    if (!part_is(&action, "acknowledge") || (!ret->alert.at && !(ret->rule.at && ret->place.at)))
        return VERDICT_BAD_COMMAND;
    ret->has_code = ret->alert.at && code_read(&ret->alert, &ret->code);
    return 0;
}

static uint8_t answer_read(const struct escalate *e, const struct aff_record *r, struct answer *ret)
{
    const struct aff_schema *s = row_schema(e, r);
    struct part from;

    memset(ret, 0, sizeof *ret);
    if (!s)
        return VERDICT_BAD_COMMAND;
    from = column_text(s, r, "from");
    if (!from.at || column_text(s, r, "action").at)
        return command_read(s, r, ret);
    return message_read(e, &from, column_text(s, r, "text"), ret);
}

/* ---- which ---- */

static bool is_meant(const struct answer *w, const struct alert *a)
{
    if (!a->is_open)
        return false;
    if (w->has_code)
        return a->code == w->code;
    if (w->person < PEOPLE_MOST)
        return !a->is_acknowledged && (a->told >> w->person & 1u);
    if (w->alert.at)
        return part_is(&w->alert, a->id);
    return part_is(&w->rule, a->rule) && part_is(&w->place, a->place);
}

struct found {
    uint32_t all, open;
};

static struct found count_meant(struct escalate *e, const struct answer *w)
{
    struct found f = { 0, 0 };
    uint32_t i, k;

    for (i = 1; i <= e->top; i++) {
        const struct subject *s = subject_of(e, i);

        for (k = 0; s && k < e->plan.most; k++) {
            bool meant = is_meant(w, &s->alerts[k]);

            f.all += meant;
            f.open += meant && !s->alerts[k].is_acknowledged;
        }
    }
    return f;
}

/* ---- taking notice ---- */

static void by_fill(struct alert *a, const struct answer *w)
{
    struct line line = { a->by, 0, sizeof a->by - 1, false };

    if (w->by.at)
        line_add(&line, w->by.at, w->by.length);
    line_end(&line);
    a->by[line.length] = 0;
    a->label = w->label > a->label ? w->label : a->label;
}

/* All are told first, and noted in a second pass: nothing changes before the last row
 * of an answer could be made. */
static aff_status alert_pass(struct escalate *e, const struct telling *t, const struct answer *w, struct alert *a,
                             bool notes)
{
    struct alert told = *a;
    aff_status st;

    by_fill(&told, w);
    told.is_acknowledged = 1;
    if (notes) {
        *a = told;
        e->tally.acknowledged++;
        e->tally.open--;
        return AFF_OK;
    }
    st = told_tell(e, t, &told, STATE_ACKNOWLEDGED);
    return st == AFF_OK ? ack_emit(e, t, &told) : st;
}

static aff_status all_pass(struct escalate *e, const struct answer *w, uint32_t input, bool notes)
{
    aff_status st = AFF_OK;
    uint32_t i, k;

    for (i = 1; i <= e->top && st == AFF_OK; i++) {
        struct subject *s = subject_of(e, i);
        const struct telling t = { input, i, s, s ? times_behind(s) : 0 }; /* whose clock its answer has is not ours to say */

        for (k = 0; s && k < e->plan.most && st == AFF_OK; k++)
            if (is_meant(w, &s->alerts[k]) && !s->alerts[k].is_acknowledged)
                st = alert_pass(e, &t, w, &s->alerts[k], notes);
        if (s && notes)
            times_arm(e, i, s);
    }
    return st;
}

aff_status answer_process(struct escalate *e, const struct aff_batch *batch, uint32_t input)
{
    struct answer w;
    uint8_t verdict = answer_read(e, &batch->records[input], &w);
    struct found f = { 0, 0 };
    bool is_by_name = w.rule.at && !w.alert.at;
    aff_status st;

    if (!verdict) {
        f = count_meant(e, &w);
        verdict = f.all == 0 ? VERDICT_UNKNOWN_ALERT : f.open == 0 ? VERDICT_ALREADY : 0;
        if (f.open > 1 && !is_by_name)
            verdict = VERDICT_WHICH_ALERT;
    }
    if (verdict) {
        batch->verdicts[input] = verdict;
        return AFF_OK;
    }
    st = all_pass(e, &w, input, false);
    if (st != AFF_OK)
        return st;
    return all_pass(e, &w, input, true);
}
