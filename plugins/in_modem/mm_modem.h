/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_modem.h - an instance of in_modem whose modem ModemManager drives: in the place
 * of engine.c, session.c and setup.c. Inbox, orders, events, status and the link's
 * record are those of the other backend. */
#ifndef IN_MODEM_MM_MODEM_H
#define IN_MODEM_MM_MODEM_H

#include "modem.h"

#ifdef HAVE_MM_GLIB
/* [control] On failure nothing is left behind. */
aff_status managed_open(struct modem *m);
void managed_close(struct modem *m);
/* [data] A turn: what came is taken, told, and answered. */
aff_status managed_read(struct modem *m, uint32_t want);
/* [data] Bytes of the data session; UINT64_MAX: not known. */
void managed_bytes(const struct modem *m, uint64_t *ret_sent, uint64_t *ret_received);
#else
static inline aff_status managed_open(struct modem *m)
{
    return m->host->explain(m->host, AFF_ERR_CONFIG, "this build has no ModemManager; install libmm-glib-dev and configure again");
}

static inline void managed_close(struct modem *m)
{
    (void)m;
}

static inline aff_status managed_read(struct modem *m, uint32_t want)
{
    (void)m;
    (void)want;
    return AFF_ERR_CONFIG;
}

static inline void managed_bytes(const struct modem *m, uint64_t *ret_sent, uint64_t *ret_received)
{
    (void)m;
    *ret_sent = *ret_received = UINT64_MAX;
}
#endif

#endif
