/* fhir.c - records as entries of a FHIR R4 Bundle: each an Observation.
 *
 * By https://hl7.org/fhir/R4/observation.html and http.html#transaction. A column is
 * a component, or the value where there is but one; samples are SampledData. The
 * record's id is the Observation's identifier, and `ifNoneExist` asks the server to
 * store it once, however often it comes.
 *
 * Not here: the Bundle around the entries (frame.c), what the server answers
 * (answer.c). */
#include "record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct fhir_config plain = {
    .bundle = BUNDLE_TRANSACTION,
    .system = "urn:afferent:record",
    .code_system = "http://loinc.org",
    .category = "vital-signs",
};

static void word(struct text *t, const char *text)
{
    text_string(t, TEXT_JSON, text ? text : "", text ? strlen(text) : 0);
}

static void member(struct text *t, const char *name, const char *value)
{
    text_say(t, ",\"");
    text_say(t, name);
    text_say(t, "\":");
    word(t, value);
}

/* In a search the comma, the bar, the dollar and the backslash have meanings of their
 * own (R4, search.html#escaping), and all but letters and digits are escaped for URLs. */
static void search_word(struct text *t, const char *text)
{
    char escape[8];

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (strchr(",|$\\", c))
            text_say(t, "%5C");
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~", c)) {
            text_add(t, text, 1);
            continue;
        }
        (void)snprintf(escape, sizeof escape, "%%%02X", c);
        text_say(t, escape);
    }
}

/* ---- one column ---- */

/* Of a column, or of the whole where text is given. */
static void concept_write(struct text *t, const char *system, const char *code, const char *words)
{
    text_say(t, "{");
    if (code && *code) {
        text_say(t, "\"coding\":[{\"system\":");
        word(t, system);
        member(t, "code", code);
        text_say(t, "}],");
    }
    text_say(t, "\"text\":");
    word(t, words && *words ? words : code);
    text_say(t, "}");
}

static void quantity_unit(struct text *t, const char *unit)
{
    if (!unit || !*unit)
        return;
    member(t, "unit", unit);
    text_say(t, ",\"system\":\"http://unitsofmeasure.org\"");
    member(t, "code", unit);
}

static void quantity_write(struct text *t, const struct aff_column *c, double real, const int64_t *integer)
{
    text_say(t, "\"valueQuantity\":{\"value\":");
    if (integer)
        text_int(t, *integer);
    else
        text_real(t, TEXT_JSON, real);
    quantity_unit(t, c->unit);
    text_say(t, "}");
}

static void absent_write(struct text *t)
{
    text_say(t, "\"dataAbsentReason\":{\"coding\":[{\"system\":"
                "\"http://terminology.hl7.org/CodeSystem/data-absent-reason\",\"code\":\"unknown\"}]}");
}

/* FHIR has no empty strings; its integers have 32 bits, its decimals any number of digits. */
static void value_write(struct text *t, const struct source *from, uint32_t i, const struct aff_column *c)
{
    const struct aff_record *r = from->record;
    uint32_t count = from->schema->count, length = 0;
    const char *words = NULL;
    int64_t integer = 0;

    if (aff_row_has(r, i) && c->type == AFF_TEXT)
        words = aff_row_text(r, count, i, &length);
    else if (aff_row_has(r, i) && c->type != AFF_REAL)
        integer = aff_row_int(r, count, i);
    if (!aff_row_has(r, i) || (c->type == AFF_REAL && !isfinite(aff_row_real(r, count, i))) ||
        (c->type == AFF_TEXT && (!words || length == 0))) {
        absent_write(t);
    } else if (c->type == AFF_REAL) {
        quantity_write(t, c, aff_row_real(r, count, i), NULL);
    } else if (c->type == AFF_INT) {
        quantity_write(t, c, 0, &integer);
    } else if (c->type == AFF_BOOL) {
        text_say(t, integer ? "\"valueBoolean\":true" : "\"valueBoolean\":false");
    } else if (c->type == AFF_TIME) {
        text_say(t, "\"valueDateTime\":\"");
        text_time(t, integer);
        text_say(t, "\"");
    } else {
        text_say(t, "\"valueString\":");
        text_string(t, TEXT_JSON, words, length);
    }
}

/* R4 knows no exponents there. Twelve places are what is left of a float of a millionth. */
static void sample_write(struct text *t, double v)
{
    char digits[80];
    int size = snprintf(digits, sizeof digits, "%.12f", v), i;

    for (i = 0; i < size; i++) /* the locale's point */
        if ((digits[i] < '0' || digits[i] > '9') && digits[i] != '-')
            digits[i] = '.';
    while (digits[size - 1] == '0')
        size--;
    text_add(t, digits, (size_t)size - (digits[size - 1] == '.'));
}

/* Signed so that `value = data x factor + origin` holds (R4, SampledData). */
static void sampled_write(struct text *t, const struct source *from, uint16_t channel, const struct aff_column *c)
{
    const struct aff_samples *s = aff_samples_of(from->record);
    double gain = c->gain != 0 ? c->gain : 1;

    text_say(t, "\"valueSampledData\":{\"origin\":{\"value\":");
    text_real(t, TEXT_JSON, c->baseline == 0 ? 0 : -c->baseline / gain);
    quantity_unit(t, c->unit);
    text_say(t, "},\"period\":");
    text_real(t, TEXT_JSON, 1e3 * (double)from->schema->rate_den / (double)from->schema->rate_num);
    text_say(t, ",\"factor\":");
    text_real(t, TEXT_JSON, 1 / gain);
    text_say(t, ",\"dimensions\":1,\"data\":\"");
    for (uint32_t i = 0; i < s->count; i++) {
        double v = record_sample(from->record, channel, i);

        text_say(t, i ? " " : "");
        if (!isfinite(v))
            text_say(t, "E");
        else
            sample_write(t, v);
    }
    text_say(t, "\"}");
}

static void column_value(struct text *t, const struct source *from, uint32_t i, const struct aff_column *c)
{
    if (from->record->type == AFF_SAMPLES)
        sampled_write(t, from, (uint16_t)i, c);
    else
        value_write(t, from, i, c);
}

/* ---- the Observation ---- */

static void values_write(struct text *t, const struct source *from)
{
    struct aff_column c;

    if (from->schema->count == 1) {
        c = record_column(from->schema, 0);
        text_say(t, ",");
        column_value(t, from, 0, &c);
        return;
    }
    text_say(t, ",\"component\":[");
    for (uint32_t i = 0; i < from->schema->count; i++) {
        c = record_column(from->schema, i);
        text_say(t, i ? ",{\"code\":" : "{\"code\":");
        concept_write(t, "http://loinc.org", c.code, c.name);
        text_say(t, ",");
        column_value(t, from, i, &c);
        text_say(t, "}");
    }
    text_say(t, "]");
}

static void identifier_write(struct text *t, const char *system, const char *value)
{
    text_say(t, "{");
    if (system && *system) {
        text_say(t, "\"system\":");
        word(t, system);
        text_say(t, ",");
    }
    text_say(t, "\"value\":");
    word(t, value);
    text_say(t, "}");
}

static void code_write(struct text *t, const struct fhir_config *config, const struct source *from)
{
    struct aff_column only = record_column(from->schema, 0);

    text_say(t, ",\"code\":");
    if (config->code)
        concept_write(t, config->code_system, config->code, config->code_text);
    else if (from->schema->count == 1)
        concept_write(t, "http://loinc.org", only.code, only.name);
    else
        concept_write(t, NULL, NULL, config->code_text ? config->code_text : from->stream);
}

static void observation_write(struct text *t, const struct fhir_config *config, const struct source *from, const char *id)
{
    text_say(t, "{\"resourceType\":\"Observation\",\"identifier\":[");
    identifier_write(t, config->system, id);
    text_say(t, "],\"status\":\"");
    text_say(t, from->record->flags & AFF_FLAG_SUSPECT ? "preliminary" : "final");
    text_say(t, "\"");
    if (*config->category) {
        text_say(t, ",\"category\":[{\"coding\":[{\"system\":"
                    "\"http://terminology.hl7.org/CodeSystem/observation-category\"");
        member(t, "code", config->category);
        text_say(t, "}]}]");
    }
    code_write(t, config, from);
    text_say(t, ",\"subject\":{\"identifier\":");
    identifier_write(t, config->subject_system, from->subject);
    text_say(t, "},\"effectiveDateTime\":\"");
    text_time(t, from->record->event_ns);
    text_say(t, "\"");
    values_write(t, from);
    text_say(t, "}");
}

/* NULL when it can be one. */
static const char *refused(const struct source *from)
{
    const struct aff_record *r = from->record;

    if (r->type != AFF_FIELDS && r->type != AFF_SAMPLES)
        return "bytes and images are no observations; send them by another sink";
    if (!from->schema || from->schema->count == 0)
        return "a record has no columns";
    if (!from->subject || !*from->subject)
        return "a record has no subject's name";
    if (r->type == AFF_FIELDS)
        return r->size < aff_row_size(from->schema->count, 0) ? "a row is shorter than its schema" : NULL;
    if (!aff_samples_ok(r->data, r->size) || aff_samples_of(r)->channels != from->schema->count)
        return "samples are not whole or have other channels than their schema";
    return from->schema->rate_num == 0 || aff_samples_of(r)->count == 0 ? "samples have no rate" : NULL;
}

const char *record_fhir(struct text *t, const struct fhir_config *config, const struct source *from)
{
    const char *problem = refused(from);
    char id[ID_ROOM], urn[64];

    if (problem)
        return problem;
    config = config ? config : &plain;
    record_id(from->record->id, id);
    /* A UUID of version 8 (RFC 9562): both numbers of the id, but for its six fixed bits. */
    (void)snprintf(urn, sizeof urn, "urn:uuid:%08x-%04x-8%03x-%04x-%012llx", (unsigned)(from->record->id.source >> 32),
                   (unsigned)(from->record->id.source >> 16 & 0xffffu), (unsigned)(from->record->id.source >> 4 & 0xfffu),
                   0x8000u | (unsigned)(from->record->id.source & 0xfu) << 8 | (unsigned)(from->record->id.seq >> 48 & 0xffu),
                   (unsigned long long)(from->record->id.seq & 0xffffffffffffu));
    text_say(t, "{\"fullUrl\":");
    word(t, urn);
    text_say(t, ",\"resource\":");
    observation_write(t, config, from, id);
    text_say(t, ",\"request\":{\"method\":\"POST\",\"url\":\"Observation\",\"ifNoneExist\":\"identifier=");
    search_word(t, config->system);
    text_say(t, "%7C");
    search_word(t, id);
    text_say(t, "\"}");
    return NULL;
}
