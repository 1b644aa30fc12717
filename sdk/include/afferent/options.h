/* SPDX-License-Identifier: Apache-2.0
 *
 * afferent/options.h - rows of an option table, one macro a type.
 *
 * Shorthands over struct aff_option of plugin.h; part of it, and included by it.
 *
 *     struct config { int64_t baud; };
 *     static const struct aff_option options[] = {
 *         AFF_OPT_INT(struct config, baud, 0, "9600", 50, 4000000, "baud", "Line speed."),
 *     };
 */
#ifndef AFFERENT_OPTIONS_H
#define AFFERENT_OPTIONS_H

#include <afferent/plugin.h>

#define AFF__OPT(S, m, T, F, P, U, R, C, N, NC, NS, D) \
    { #m, D, U, P, (uint16_t)(T), (uint16_t)(F), (uint32_t)offsetof(S, m), R, C, N, NC, NS }
#define AFF__PAIR(a, b) a, b
/* S: the config struct, m: its member, named as the option; F: flags; P: preset
 * (TOML text or NULL); D: the sentence. No range: 1, -1. */
#define AFF_OPT_INT(S, m, F, P, lo, hi, unit, D) \
    AFF__OPT(S, m, AFF_TYPE_INT, F, P, unit, AFF__PAIR(lo, hi), NULL, NULL, 0, 0, D)
#define AFF_OPT_REAL(S, m, F, P, lo, hi, unit, D) \
    AFF__OPT(S, m, AFF_TYPE_REAL, F, P, unit, AFF__PAIR(lo, hi), NULL, NULL, 0, 0, D)
#define AFF_OPT_BOOL(S, m, P, D) \
    AFF__OPT(S, m, AFF_TYPE_BOOL, 0, P, NULL, AFF__PAIR(1.0, -1.0), NULL, NULL, 0, 0, D)
#define AFF_OPT_TEXT(S, m, F, P, D) \
    AFF__OPT(S, m, AFF_TYPE_TEXT, F, P, NULL, AFF__PAIR(1.0, -1.0), NULL, NULL, 0, 0, D)
#define AFF_OPT_ENUM(S, m, F, P, names, D) \
    AFF__OPT(S, m, AFF_TYPE_ENUM, F, P, NULL, AFF__PAIR(1.0, -1.0), names, NULL, 0, 0, D)
#define AFF_OPT_DURATION(S, m, F, P, lo_ns, hi_ns, D) \
    AFF__OPT(S, m, AFF_TYPE_DURATION, F, P, NULL, AFF__PAIR(lo_ns, hi_ns), NULL, NULL, 0, 0, D)
#define AFF_OPT_BYTES(S, m, F, P, lo, hi, D) \
    AFF__OPT(S, m, AFF_TYPE_BYTES, F, P, NULL, AFF__PAIR(lo, hi), NULL, NULL, 0, 0, D)
#define AFF_OPT_FREQUENCY(S, m, F, P, lo_hz, hi_hz, D) \
    AFF__OPT(S, m, AFF_TYPE_FREQUENCY, F, P, NULL, AFF__PAIR(lo_hz, hi_hz), NULL, NULL, 0, 0, D)
#define AFF_OPT_PATH(S, m, F, P, D) \
    AFF__OPT(S, m, AFF_TYPE_PATH, F, P, NULL, AFF__PAIR(1.0, -1.0), NULL, NULL, 0, 0, D)
#define AFF_OPT_SECRET(S, m, F, D) \
    AFF__OPT(S, m, AFF_TYPE_SECRET, F, NULL, NULL, AFF__PAIR(1.0, -1.0), NULL, NULL, 0, 0, D)
#define AFF_OPT_TABLE(S, m, F, N, NS, D) \
    AFF__OPT(S, m, AFF_TYPE_TABLE, F, NULL, NULL, AFF__PAIR(1.0, -1.0), NULL, N, \
             (uint32_t)(sizeof(N) / sizeof((N)[0])), (uint32_t)(NS), D)
#define AFF_OPT_LIST(S, m, F, N, NS, D) \
    AFF__OPT(S, m, AFF_TYPE_LIST, F, NULL, NULL, AFF__PAIR(1.0, -1.0), NULL, N, \
             (uint32_t)(sizeof(N) / sizeof((N)[0])), (uint32_t)(NS), D)
#define AFF_OPT_MAP(S, m, F, N, NS, D) \
    AFF__OPT(S, m, AFF_TYPE_MAP, F, NULL, NULL, AFF__PAIR(1.0, -1.0), NULL, N, \
             (uint32_t)(sizeof(N) / sizeof((N)[0])), (uint32_t)(NS), D)
/* The one nested option of a list or map of scalars. */
#define AFF_OPT_ITEM(type, offset, D) \
    { "", D, NULL, NULL, (uint16_t)(type), 0, (uint32_t)(offset), 1.0, -1.0, NULL, NULL, 0, 0 }

#endif
