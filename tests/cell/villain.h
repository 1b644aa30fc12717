/* villain.h - what the tests of plugins that die or mean harm share: a booth for them.
 *
 * Not here: the plugins (hostile.h). */
#ifndef AFFERENT_TESTS_VILLAIN_H
#define AFFERENT_TESTS_VILLAIN_H

#include "booth.h"
#include "hostile.h"

enum { RECORDS = 200, BAD_ONE = 50, BAD_TWO = 120, CALL_MS = 700, PATIENT_MS = 20000 };

/* At two records, at all, at each 25th the plugin does what it is told. */
void actions_two(struct stage_payload *p, uint32_t count);
void actions_all(struct stage_payload *p, uint32_t count);
void actions_some(struct stage_payload *p, uint32_t count);

/* Fails the test where a child, or a zombie, is left. */
void nothing_is_left(void);
/* A cell with it, not open yet. `config` is filled, and stays the caller's. */
void booth_hostile(struct booth *b, const struct aff_plugin *constant, enum hostile what, enum hostile_when when,
                   struct hostile_config *config);
/* All its records through an open cell, and the end. */
void villain_run(struct booth *b, const struct aff_plugin *constant, enum hostile what,
                 void (*actions)(struct stage_payload *, uint32_t));
void villains_know(void);

#endif
