/* answer.c - who takes notice, and of what; and whom no message reached.
 *
 * By a row with action = "acknowledge", which names the alert by its id or its code, or
 * by rule and place, and who it is in `by`. Or by a message as a modem brings it: a
 * number in `from` that is one of the people's, and a text that begins with one of the
 * words ("ok 482915"), or is a code. Without a code it counts where that person was
 * told of one alert that is open; where of several, nobody knows which is meant, and it
 * counts for none: the steps go on, rather than that a new alarm is silenced unread.
 * For the same reason it never counts for an alert that was raised after it was written:
 * a modem hands on what it kept while the node was off.
 *
 * A result says what became of a row, which it names by its call: one that failed brings
 * the next step at once.
 *
 * What cannot be used is counted, each kind for itself. Of a message nothing goes on
 * but the name that the pipeline has for its number, so neither text nor number leaves.
 *
 * Not here: what comes after it (ladder.c). */
#include "escalate.h"

#include <string.h>

#define SKEW_NS INT64_C(10000000000) /* by which the clock of a network's messages may be slow */

enum { CODE_DIGITS = 6, MISTYPED_DIGITS = 4 }; /* so many that are no code were meant to be one */

struct answer {
    struct part alert, rule, place, by;
    uint32_t person; /* who sent a message; PEOPLE_MOST: it was a row */
    uint32_t code;
    bool has_code;
    int64_t written_ns; /* a message without a code: by this node's boot clock; INT64_MAX: not known */
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

static bool is_number(const struct part *word)
{
    uint32_t i;

    for (i = 0; i < word->length; i++)
        if (word->at[i] < '0' || word->at[i] > '9')
            return false;
    return word->length > 0;
}

/* The digits at the front, up to a code, also where they are set apart ("482 915"). Gives
 * how many there are. */
static uint32_t digits_take(struct part *rest, uint32_t *ret_code)
{
    struct part after = *rest, word = word_take(&after);
    uint32_t count = 0, i;

    for (*ret_code = 0; is_number(&word) && count < CODE_DIGITS; word = word_take(&after)) {
        for (i = 0; i < word.length && count + i < CODE_DIGITS; i++)
            *ret_code = *ret_code * 10 + (uint32_t)(word.at[i] - '0');
        count += word.length;
        *rest = after;
    }
    return count;
}

/* ---- reading ---- */

/* When a message was written, as the network says. */
static int64_t written_of(const struct escalate *e, const struct aff_schema *s, const struct aff_record *r)
{
    int64_t utc, ago;
    uint8_t clock;

    if (!column_number(s, r, "time", AFF_TIME, &utc) ||
        __builtin_sub_overflow(e->host->utc_ns(e->host, &clock), utc, &ago) || clock != AFF_CLOCK_SYNCED)
        return INT64_MAX;
    return ago > 0 ? e->host->now_ns(e->host) - ago : INT64_MAX;
}

/* 0: read; else the verdict. */
static uint8_t message_read(const struct escalate *e, const struct part *from, struct part text, struct answer *ret)
{
    char number[NUMBER_MOST + 2];
    struct part first;
    uint32_t digits;

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
    digits = digits_take(&text, &ret->code);
    if (digits == 0) {
        first = word_take(&text);
        if (!is_word(&e->plan, &first))
            return VERDICT_NO_ANSWER;
        digits = digits_take(&text, &ret->code);
        if (digits >= MISTYPED_DIGITS && digits != CODE_DIGITS)
            return VERDICT_UNKNOWN_ALERT;
    } else if (digits != CODE_DIGITS) {
        return VERDICT_NO_ANSWER;
    }
    ret->has_code = digits == CODE_DIGITS;
    return 0;
}

static uint8_t command_read(const struct aff_schema *s, const struct aff_record *r, struct answer *ret)
{
    static const char *const by[] = { "by" };
    struct part action = column_text(s, r, "action"), alert;

    ret->alert = column_text(s, r, "alert");
    ret->rule = column_text(s, r, "rule");
    ret->place = column_text(s, r, "place");
    ret->by = column_text(s, r, "by");
    ret->person = PEOPLE_MOST;
    ret->label = columns_label(s, by, 1);
    if (!part_is(&action, "acknowledge") || (!ret->alert.at && !(ret->rule.at && ret->place.at)))
        return VERDICT_BAD_COMMAND;
    ret->has_code = is_number(&ret->alert) && ret->alert.length == CODE_DIGITS;
    alert = ret->alert;
    if (ret->has_code)
        (void)digits_take(&alert, &ret->code);
    return 0;
}

static uint8_t answer_read(const struct escalate *e, const struct aff_record *r, struct answer *ret)
{
    const struct aff_schema *s = row_schema(e, r);
    struct part from;

    memset(ret, 0, sizeof *ret);
    ret->written_ns = INT64_MAX;
    ret->person = PEOPLE_MOST;
    if (!s)
        return VERDICT_BAD_COMMAND;
    from = column_text(s, r, "from");
    if (!from.at || column_text(s, r, "action").at)
        return command_read(s, r, ret);
    ret->written_ns = written_of(e, s, r);
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

/* Written before it was raised. With its code there is no doubt which is meant. */
static bool is_stale(const struct answer *w, const struct subject *s, const struct alert *a)
{
    return !w->has_code && w->written_ns < INT64_MAX - SKEW_NS && times_is_live(s) &&
           w->written_ns + SKEW_NS < a->raised.boot_ns;
}

struct found {
    uint32_t all, open, stale;
};

static struct found count_meant(struct escalate *e, const struct answer *w)
{
    struct found f = { 0, 0, 0 };
    uint32_t i, k;

    for (i = 1; i <= e->top; i++) {
        const struct subject *s = subject_of(e, i);

        for (k = 0; s && k < e->plan.most; k++) {
            bool meant = is_meant(w, &s->alerts[k]), stale = meant && is_stale(w, s, &s->alerts[k]);

            f.stale += stale;
            meant = meant && !stale;
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
        alert_log(e, AFF_LOG_INFO, a, "notice taken by ", w->person < PEOPLE_MOST ? e->plan.people[w->person].name : "a command");
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
            if (is_meant(w, &s->alerts[k]) && !is_stale(w, s, &s->alerts[k]) && !s->alerts[k].is_acknowledged)
                st = alert_pass(e, &t, w, &s->alerts[k], notes);
        if (s && notes)
            times_arm(e, i, s);
    }
    return st;
}

/* An id may look like a code, so it goes first. */
static struct found find_meant(struct escalate *e, struct answer *w)
{
    bool has_code = w->has_code;
    struct found f;

    w->has_code = has_code && w->person < PEOPLE_MOST;
    f = count_meant(e, w);
    if (f.all > 0 || w->has_code || !has_code)
        return f;
    w->has_code = true;
    return count_meant(e, w);
}

static void refusal_log(const struct escalate *e, const struct answer *w, uint8_t verdict)
{
    static const char *const words[] = {
        [VERDICT_UNKNOWN_ALERT] = "no alert is open that it may mean",
        [VERDICT_WHICH_ALERT] = "it may mean several alerts; expected the six digits of one",
        [VERDICT_ALREADY] = "somebody took notice before",
        [VERDICT_STRANGER] = "its number is nobody's",
        [VERDICT_NO_ANSWER] = "it begins with none of the words",
        [VERDICT_BAD_COMMAND] = "it is no acknowledgement, or names no alert",
        [VERDICT_STALE] = "it was written before the alert was raised; expected the alert's six digits",
    };
    bool is_ours = w->person < e->plan.people_count;
    int level = verdict == VERDICT_ALREADY ? AFF_LOG_INFO : AFF_LOG_WARN;

    e->host->log(e->host, level, "an answer%s%s counts for nothing: %s", is_ours ? " of " : "",
                 is_ours ? e->plan.people[w->person].name : "", words[verdict]);
}

/* ---- whom nothing reached ---- */

/* Any other word is a failure: rather one too many is told than nobody. */
static bool is_good(const struct part *outcome)
{
    static const char *const words[] = { "sent", "delivered", "done", "trying", "unconfirmed" };
    uint32_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (part_is(outcome, words[i]))
            return true;
    return false;
}

/* NULL: it is of no alert that is open. */
static struct alert *call_find(struct escalate *e, int64_t number, struct telling *ret, struct call *ret_call)
{
    uint32_t i, k;

    if (!call_read(&e->plan, number, &ret_call->step, &ret_call->person))
        return NULL;
    for (i = 1; i <= e->top; i++) {
        struct subject *s = subject_of(e, i);

        for (k = 0; s && k < e->plan.most; k++)
            if (s->alerts[k].is_open && call_number(&s->alerts[k], ret_call->step, ret_call->person) == number) {
                ret->subject = i;
                ret->state = s;
                return &s->alerts[k];
            }
    }
    return NULL;
}

/* Worked on in a copy, as a row is. */
static aff_status next_tell(struct escalate *e, const struct telling *found, const struct alert *a, const struct call *c)
{
    struct telling t = { found->input, found->subject, e->work, 0 };
    struct alert *own = &e->work->alerts[a - found->state->alerts];
    aff_status st = AFF_OK;
    bool goes_on;

    memcpy(e->work, found->state, e->state_bytes);
    goes_on = ladder_hurry(&e->plan, own, c->step);
    alert_log(e, AFF_LOG_WARN, a, goes_on ? "the next step comes at once, for nothing reached "
                                          : "no step is left to come sooner, and nothing reached ",
              e->plan.people[c->person].name);
    if (goes_on)
        st = times_tell(e, &t);
    if (st != AFF_OK)
        return st;
    memcpy(found->state, e->work, e->state_bytes);
    times_arm(e, found->subject, found->state);
    e->tally.unreached++;
    return AFF_OK;
}

static aff_status result_process(struct escalate *e, const struct aff_batch *batch, uint32_t input,
                                 const struct aff_schema *s, const struct part *outcome)
{
    const struct aff_record *r = &batch->records[input];
    struct telling t = { input, 0, NULL, 0 };
    struct call c = { 0, 0, 0, STATE_RAISED };
    struct alert *a = NULL;
    int64_t number;

    if (!is_good(outcome) && column_number(s, r, "id", AFF_INT, &number))
        a = call_find(e, number, &t, &c);
    else if (!is_good(outcome))
        e->host->log(e->host, AFF_LOG_WARN, "something failed, and its result does not say what; expected in `id` the call of the "
                     "row; hand it on with each message");
    if (a && !a->is_acknowledged)
        return next_tell(e, &t, a, &c);
    batch->verdicts[input] = VERDICT_RESULT;
    return AFF_OK;
}

/* ---- all ---- */

static aff_status notice_process(struct escalate *e, const struct aff_batch *batch, uint32_t input)
{
    struct answer w;
    uint8_t verdict = answer_read(e, &batch->records[input], &w);
    struct found f = { 0, 0, 0 };
    bool is_by_name = w.rule.at && !w.alert.at;
    aff_status st;

    if (!verdict) {
        f = find_meant(e, &w);
        verdict = f.all > 0 ? 0 : f.stale > 0 ? VERDICT_STALE : VERDICT_UNKNOWN_ALERT;
    }
    if (!verdict)
        verdict = f.open == 0 ? VERDICT_ALREADY : f.open > 1 && !is_by_name ? VERDICT_WHICH_ALERT : 0;
    if (verdict) {
        refusal_log(e, &w, verdict);
        batch->verdicts[input] = verdict;
        return AFF_OK;
    }
    st = all_pass(e, &w, input, false);
    if (st != AFF_OK)
        return st;
    return all_pass(e, &w, input, true);
}

aff_status answer_process(struct escalate *e, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    const struct aff_schema *s = row_schema(e, r);
    struct part outcome = { NULL, 0 };

    if (s && !column_text(s, r, "action").at && !column_text(s, r, "from").at)
        outcome = column_text(s, r, "outcome");
    return outcome.at ? result_process(e, batch, input, s, &outcome) : notice_process(e, batch, input);
}
