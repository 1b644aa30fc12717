/* villain.c - see villain.h. */
#include "villain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <cmocka.h>

void actions_two(struct stage_payload *p, uint32_t count)
{
    (void)count;
    p[BAD_ONE].action = 1;
    p[BAD_TWO].action = 1;
}

void actions_all(struct stage_payload *p, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        p[i].action = 1;
}

void actions_some(struct stage_payload *p, uint32_t count)
{
    for (uint32_t i = 7; i < count; i += 25)
        p[i].action = 1;
}

void nothing_is_left(void)
{
    siginfo_t info = { 0 };

    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), -1); /* no child, no zombie */
}

void booth_hostile(struct booth *b, const struct aff_plugin *constant, enum hostile what, enum hostile_when when,
                   struct hostile_config *config)
{
    bool loops = what == H_LOOP || what == H_BLOCKED;
    struct cell_options options = { .call_ns = (loops ? CALL_MS : PATIENT_MS) * INT64_C(1000000),
                                    .memory_bytes = 64u << 20, .max_payload = 4096 };

    *config = (struct hostile_config){ what, when };
    booth_prepare(b, constant, config, &options);
}

void villain_run(struct booth *b, const struct aff_plugin *constant, enum hostile what,
                 void (*actions)(struct stage_payload *, uint32_t))
{
    struct hostile_config config;

    booth_hostile(b, constant, what, AT_RECORD, &config);
    assert_int_equal(stage_open(&b->stage, b->about, cell_config(b->cell)), AFF_OK);
    booth_run(b, RECORDS, 64, actions);
    booth_stop(b);
}

void villains_know(void)
{
    booth_know(&hostile_processor);
    booth_know(&hostile_sink);
    booth_know(&hostile_source);
    booth_know(&hostile_acks);
    booth_know(&hostile_buffer);
}
