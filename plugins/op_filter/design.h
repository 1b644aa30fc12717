/* SPDX-License-Identifier: Apache-2.0
 *
 * design.h - what a filter is asked to do, and the sections that do it.
 *
 * A filter is described in Hz and designed for one sampling rate; the result is
 * a chain of second-order sections. Nothing here runs a sample: run.h does. */
#ifndef OP_FILTER_DESIGN_H
#define OP_FILTER_DESIGN_H

#include <stddef.h>
#include <stdint.h>

#define IIR_ORDER_MAX 8

/* Edges closer to zero than this part of the sampling rate are refused: the
 * poles then lie so near to z = 1 that 53 bits no longer hold the corner. */
#define IIR_RATIO_MIN 1e-6

enum iir_kind { IIR_HIGH, IIR_LOW, IIR_BAND, IIR_STOP, IIR_NOTCH, IIR_KINDS };

/* One of each kind at most, run in the order of enum iir_kind: 4 + 4 + 8 + 8 + 1. */
#define IIR_SECTIONS_MAX 25

/* low_hz is the only edge of IIR_HIGH, and the centre of IIR_NOTCH; high_hz is
 * the only edge of IIR_LOW. order counts poles for low and high, and poles on
 * each side for band and stop, as in most texts and tools. */
struct iir_spec {
    enum iir_kind kind;
    int order;
    double low_hz;
    double high_hz;
    double q;
};

/* y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2] */
struct iir_section {
    double b0, b1, b2, a1, a2;
};

struct iir_chain {
    uint32_t count;
    struct iir_section section[IIR_SECTIONS_MAX];
};

enum iir_fault {
    IIR_FINE = 0,
    IIR_BAD_RATE,       /* the sampling rate is not a positive number */
    IIR_BAD_SPEC,       /* order, q or an edge is out of its range, or low >= high */
    IIR_ABOVE_NYQUIST,  /* an edge is at or above half the sampling rate */
    IIR_BELOW_RATIO,    /* an edge is below IIR_RATIO_MIN of the sampling rate */
    IIR_TOO_MANY        /* the chain has no room left */
};

/* Designs one filter for a rate and appends its sections to the chain. On a
 * fault the chain is as it was. Pure; calls nothing but libm. */
enum iir_fault iir_append(struct iir_chain *chain, const struct iir_spec *spec, double rate_hz);

/* How many sections a filter will take, known before any rate is. */
uint32_t iir_sections(const struct iir_spec *spec);

/* Writes what is wrong and what to do about it; always ends the text. */
void iir_explain(enum iir_fault fault, const struct iir_spec *spec, double rate_hz, char *text,
                 size_t size);

#endif
