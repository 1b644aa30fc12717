/* command.c - acknowledgements: records that say who has taken notice.
 *
 * A command names an alert by its id, or by rule and place. Who acknowledged
 * (`by`) is in the command's own record, which an archive keeps; it is a name,
 * and is not carried on into alerts, which may leave the node. An alert that is
 * acknowledged already is left as it is; one that is not there is counted.
 *
 * Not here: what an acknowledgement covers (tell.c). */
#include "op_alert.h"

#include <string.h>

struct command {
    struct part alert, rule, place, action;
};

static bool command_read(struct alerts *a, const struct aff_record *r, struct command *ret)
{
    const struct aff_schema *s = a->host->schema_info(a->host, r->schema);

    if (!s || s->type != AFF_FIELDS || r->size < aff_row_size(s->count, 0))
        return false;
    ret->alert = column_text(s, r, "alert");
    ret->rule = column_text(s, r, "rule");
    ret->place = column_text(s, r, "place");
    ret->action = column_text(s, r, "action");
    return part_is(&ret->action, "acknowledge") && (ret->alert.at || (ret->rule.at && ret->place.at));
}

/* An id is 16 hexadecimal digits. */
static bool id_read(const struct part *t, uint64_t *ret_id)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t id = 0;
    uint32_t i;

    if (t->length != 16)
        return false;
    for (i = 0; i < t->length; i++) {
        const char *found = t->at[i] ? strchr(digits, t->at[i]) : NULL;

        if (!found)
            return false;
        id = id << 4 | (uint64_t)(found - digits);
    }
    *ret_id = id;
    return true;
}

static bool is_meant(struct alerts *a, const struct command *c, uint32_t subject, const struct view *v, uint32_t rule)
{
    const char *name;
    char place[PLACE_MOST];
    uint64_t id;

    if (!v->rules[rule].told)
        return false;
    if (c->alert.at)
        return id_read(&c->alert, &id) && id == v->rules[rule].alert;
    if (!part_is(&c->rule, a->plan.rules[rule].config->name))
        return false;
    name = a->plan.place_of_subject ? a->host->subject_name(a->host, subject) : NULL;
    place_name(&a->plan, name ? name : "", place);
    return part_is(&c->place, place);
}

/* All alerts are told first and noted in a second pass: nothing changes before
 * the last record of a command could be made. */
struct pass {
    const struct aff_batch *batch;
    const struct command *command;
    uint32_t input;
    bool notes;
    uint32_t found;
};

static aff_status rule_pass(struct alerts *a, const struct pass *pass, uint32_t subject, const struct view *v,
                            uint32_t rule)
{
    struct telling t;
    int64_t at_ns;
    aff_status st;

    if (v->rules[rule].acknowledged)
        return AFF_OK;
    if (pass->notes) {
        tell_acknowledged(&a->plan, v, rule);
        return AFF_OK;
    }
    tell_acknowledge(v, rule, &t);
    at_ns = clocks_add(pass->batch->records[pass->input].event_ns, v->subject->offset_ns);
    st = alert_emit(a, pass->input, subject, v, &t, at_ns);
    a->tally.acknowledged += st == AFF_OK;
    return st;
}

static aff_status subject_pass(struct alerts *a, struct pass *pass, uint32_t subject)
{
    aff_status st = AFF_OK;
    struct view v;
    uint32_t i, found = 0;

    if (!alert_view(a, subject, &v))
        return AFF_OK;
    for (i = 0; i < a->plan.rule_count && st == AFF_OK; i++) {
        if (!is_meant(a, pass->command, subject, &v, i))
            continue;
        found++;
        st = rule_pass(a, pass, subject, &v, i);
    }
    if (pass->notes && found)
        alert_arm(a, subject, &v);
    pass->found += found;
    return st;
}

static aff_status all_pass(struct alerts *a, struct pass *pass)
{
    aff_status st = AFF_OK;
    uint32_t i;

    pass->found = 0;
    for (i = 1; i <= a->top && st == AFF_OK; i++)
        st = subject_pass(a, pass, i);
    return st;
}

aff_status command_process(struct alerts *a, const struct aff_batch *batch, uint32_t input)
{
    struct command command;
    struct pass pass = { batch, &command, input, false, 0 };
    aff_status st;

    if (!command_read(a, &batch->records[input], &command)) {
        batch->verdicts[input] = VERDICT_BAD_COMMAND;
        return AFF_OK;
    }
    st = all_pass(a, &pass);
    if (st < 0)
        return st;
    if (pass.found == 0) {
        batch->verdicts[input] = VERDICT_UNKNOWN_ALERT;
        return AFF_OK;
    }
    pass.notes = true;
    return all_pass(a, &pass);
}
