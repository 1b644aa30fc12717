/* SPDX-License-Identifier: Apache-2.0
 *
 * clean.c - see clean.h.
 *
 * Units: The Unified Code for Units of Measure, version 2.1, sections 2 to 4,
 * without annotations in braces, which are free text. Codes: LOINC Users' Guide,
 * "LOINC codes", check digit by the mod 10 algorithm. Channel names: ISO/IEEE
 * 11073-10101 and SCP-ECG lead names as recordings write them, the electrodes
 * of the 10-20 system, and the signal names of PhysioNet. */
#include "clean.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { UNIT_MOST = 32 };

static const char *const atoms[] = {
    "m[H2O]", "m[Hg]", "[arb'U]", "[in_i'H2O]", "[degF]", "[iU]", "[pH]", "[lb_av]", "[in_i]", "[ft_i]", "[oz_av]",
    "[ppm]", "[ppb]", "[drp]", "Cel", "Ohm", "bar", "bit", "cal", "deg", "dyn", "kat", "mol", "osm", "rad",
    "eq", "Hz", "Pa", "By", "wk", "mo", "min", "d", "h", "s", "a", "g", "m", "L", "l", "V", "A", "W", "J", "K",
    "N", "U", "B", "T", "C", "F", "S", "u", "%",
};
static const char *const prefixes[] = { "", "da", "m", "u", "k", "c", "d", "n", "p", "f", "M", "G", "T", "h" };

static const char *number_skip(const char *at)
{
    if ((*at == '-' || *at == '+') && at[1] >= '0' && at[1] <= '9')
        at++;
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static int is_atom(const char *at, size_t size)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t skip = strlen(prefixes[i]);

        if (skip >= size || strncmp(at, prefixes[i], skip) != 0)
            continue;
        for (size_t k = 0; k < sizeof atoms / sizeof *atoms; k++)
            if (strlen(atoms[k]) == size - skip && strncmp(at + skip, atoms[k], size - skip) == 0)
                return 1;
    }
    return 0;
}

/* Behind one atom with its exponent, or NULL. "1" and "10*3" are numbers. */
static const char *term_skip(const char *at)
{
    const char *begin = at;

    if (*at >= '0' && *at <= '9') {
        at = number_skip(at);
        return *at == '*' && at - begin == 2 ? number_skip(at + 1) : at;
    }
    while (*at && *at != '.' && *at != '/' && !(*at >= '0' && *at <= '9') && *at != '-' && *at != '+' && *at != '[')
        at++;
    if (*at == '[') /* digits inside belong to the atom: m[H2O] */
        while (*at && *at++ != ']')
            ;
    return is_atom(begin, (size_t)(at - begin)) ? number_skip(at) : NULL;
}

const char *unit_clean(const char *unit)
{
    const char *at = unit;

    if (!unit || !*unit || strlen(unit) > UNIT_MOST)
        return NULL;
    if (*at == '/')
        at++;
    for (;;) {
        at = term_skip(at);
        if (!at)
            return NULL;
        if (!*at)
            return unit;
        if (*at != '.' && *at != '/')
            return NULL;
        at++;
    }
}

const char *code_clean(const char *code)
{
    size_t size = code ? strspn(code, "0123456789") : 0;
    int sum = 0;

    if (size < 1 || size > 7 || code[size] != '-' || !isdigit((unsigned char)code[size + 1]) || code[size + 2])
        return NULL;
    for (size_t i = 0; i < size; i++) {
        int digit = code[size - 1 - i] - '0';

        if (i % 2 == 0)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return (10 - sum % 10) % 10 == code[size + 1] - '0' ? code : NULL;
}

static const char *const channels[] = {
    "I", "II", "III", "aVR", "aVL", "aVF", "-aVR", "V", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V3R",
    "V4R", "V5R", "V6R", "MLI", "MLII", "MLIII", "MV1", "MV2", "MV5", "MCL", "MCL1", "MCL5", "MCL6", "CM2", "CM4",
    "CM5",
    "CC5", "D3", "D4", "ML2", "ML5", "vx", "vy", "vz", "X", "Y", "Z", "ECG", "ECG1", "ECG2", "ECG3", "ECG lead II",
    "EKG", "PLETH", "Pleth", "PPG", "SpO2", "SaO2", "SpO2 Pleth", "RESP", "Resp", "Respiration", "RR", "Flow", "Paw",
    "CO2", "etCO2", "ABP", "ART", "AOBP", "UAP", "FAP", "PAP", "CVP", "ICP", "LAP", "RAP", "BP", "NIBP", "HR", "PR",
    "TEMP", "Temp", "EMG", "EOG", "EDA", "GSR", "BCG", "SCG", "PCG", "ACC", "ACCX", "ACCY", "ACCZ", "Fp1", "Fp2",
    "Fpz", "F3", "F4", "F7", "F8", "Fz", "C3", "C4", "Cz", "P3", "P4", "Pz", "O1", "O2", "Oz", "T3", "T4", "T5", "T6",
    "T7", "T8", "P7", "P8", "A1", "A2", "M1", "M2", "EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", "FHR", "UC", "TOCO",
};

const char *channel_clean(const char *name)
{
    for (size_t i = 0; name && i < sizeof channels / sizeof *channels; i++)
        if (strcasecmp(name, channels[i]) == 0)
            return channels[i];
    return NULL;
}

void channel_make(struct aff_column *out, uint32_t i, const struct aff_column *in, char made[CHANNEL_CHARS])
{
    const char *name = channel_clean(in->name);

    for (uint32_t k = 0; name && k < i; k++)
        if (strcmp(out[k].name, name) == 0)
            name = NULL;
    if (!name)
        (void)snprintf(made, CHANNEL_CHARS, "ch%u", i + 1u);
    out[i] = (struct aff_column){ .name = name ? name : made, .unit = unit_clean(in->unit),
                                  .code = code_clean(in->code), .gain = in->gain, .baseline = in->baseline };
}
