/* alerts.h - which alerts are in force, out of the rows that told them.
 *
 * A node that alerts tells each change as a row of a schema named `alerts`: raised,
 * repeated, acknowledged, ended, under the alert's id. Rows of a stream come in
 * order of time, so the last of each id says how it stands.
 *
 * Not here: reading an archive (cmd/alert.c), telling alerts (plugins). */
#ifndef AFFERENT_SHOW_ALERTS_H
#define AFFERENT_SHOW_ALERTS_H

#include <afferent/plugin.h>

#include <stdbool.h>
#include <stdio.h>

struct alert {
    char *texts[6]; /* enum alert_text; owned */
    int64_t since_ns;
    int64_t told_ns;
    int64_t count;
};
enum alert_text { ALERT_ID, ALERT_SEVERITY, ALERT_STATE, ALERT_RULE, ALERT_PLACE, ALERT_TEXT, ALERT_TEXTS };

struct alerts {
    struct alert *items; /* in force */
    size_t count;
    size_t room;
    bool failed; /* no memory: some are missing */
    bool begun;  /* a row of such a schema was seen */
};

/* [control] A record that was read; one of another schema is passed over. False: it is
 * not what its schema says. */
bool alerts_record(struct alerts *alerts, const struct aff_schema *schema, const struct aff_record *record);
void alerts_close(struct alerts *alerts);

void alerts_print(const struct alerts *alerts, FILE *out);
void alerts_json(const struct alerts *alerts, FILE *out);

#endif
