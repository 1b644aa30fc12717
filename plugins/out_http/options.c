/* options.c - the options of out_http, and what is refused beforehand.
 *
 * Not here: what the options do (server.c, token.c, element.c, fhir.c), those that
 * all sinks by HTTP have (http/way.c). */
#include "config.h"

#include <string.h>

static const char *const methods[] = { "POST", "PUT", NULL };
static const char *const formats[] = { "json", "ndjson", "fhir", "raw", NULL };
static const char *const packs[] = { "none", "gzip", "zstd", "lz4", NULL };
static const char *const bundles[] = { "transaction", "batch", NULL };

#define LOINC "\"http://loinc.org\""
static const struct aff_option oauth_options[] = {
    AFF_OPT_TEXT(struct oauth_config, url, AFF_OPT_REQUIRED, NULL, "Where a token is asked for."),
    AFF_OPT_TEXT(struct oauth_config, client, AFF_OPT_REQUIRED, NULL, "The client's id."),
    AFF_OPT_SECRET(struct oauth_config, secret, AFF_OPT_REQUIRED, "The client's secret."),
    AFF_OPT_TEXT(struct oauth_config, scope, 0, NULL, "The scope that is asked for."),
    AFF_OPT_TEXT(struct oauth_config, audience, 0, NULL, "The audience that is asked for, where the server wants one."),
};
static const struct aff_option fhir_options[] = {
    AFF_OPT_ENUM(struct fhir_config, bundle, 0, "\"transaction\"", bundles,
                 "Whether the entries of a Bundle are stored all or none, or each for itself."),
    AFF_OPT_TEXT(struct fhir_config, system, 0, "\"urn:afferent:record\"",
                 "The system of the identifier by which the server knows a record that comes again."),
    AFF_OPT_TEXT(struct fhir_config, subject_system, 0, NULL,
                 "The system of the subject's identifier; its value is the subject's name."),
    AFF_OPT_TEXT(struct fhir_config, code, 0, NULL, "The code of each Observation, such as a LOINC panel."),
    AFF_OPT_TEXT(struct fhir_config, code_system, 0, LOINC, "The system of that code."),
    AFF_OPT_TEXT(struct fhir_config, code_text, 0, NULL, "That code in words."),
    AFF_OPT_TEXT(struct fhir_config, category, 0, "\"vital-signs\"",
                 "The category of each Observation, of HL7's list; empty for none."),
};
static const struct aff_option answer_options[] = {
    AFF_OPT_TEXT(struct answer_config, rows, 0, "\"\"",
                 "The keys that lead to the list of outcomes, joined by points; empty: the answer is the list."),
    AFF_OPT_TEXT(struct answer_config, status, 0, "\"status\"", "The keys in an outcome that lead to its status."),
    AFF_OPT_TEXT(struct answer_config, id, 0, "\"id\"",
                 "The keys in an outcome that lead to the record's id; where it is not there, the order counts."),
};

#define DO AFF_OPT_DURATION
#define S 1e9
const struct aff_option http_options[HTTP_OPTIONS] = {
    AFF_OPT_TEXT(struct config, url, AFF_OPT_REQUIRED, NULL, "Where records go: https://, or http:// on this machine."),
    AFF_OPT_ENUM(struct config, method, 0, "\"POST\"", methods, "The method of each request."),
    AFF_OPT_ENUM(struct config, format, 0, "\"json\"", formats,
                 "What a request carries: a JSON list, a JSON object a line, a FHIR R4 Bundle, or one payload as it is."),
    AFF_OPT_ENUM(struct config, compress, 0, "\"none\"", packs, "How a request is packed; the server must know it."),
    AFF_OPT_INT(struct config, batch_records, 0, "100", 1, BATCH_RECORDS_MOST, "records",
                "How many records a request has at most."),
    AFF_OPT_BYTES(struct config, batch_bytes, 0, "\"256KiB\"", 1024, 64 * 1024 * 1024,
                  "How large a request grows before it is packed; one record may be larger."),
    DO(struct config, batch_time, 0, "\"1s\"", 0, 3600 * S, "How long the first record of a request waits for others."),
    AFF_OPT_INT(struct config, in_flight, 0, "4", 1, IN_FLIGHT_MOST, "requests",
                "How many requests wait for their answers at once; with 1 records arrive in order."),
    DO(struct config, timeout, 0, "\"30s\"", 0.1 * S, 3600 * S, "How long a request may take, from connecting to the answer."),
    HTTP_WAIT_OPTIONS(struct config),
    AFF_OPT_BYTES(struct config, answer_most, 0, "\"1MiB\"", 1024, 256 * 1024 * 1024, "The longest answer that is read."),
    HTTP_HEADERS_OPTION(struct config),
    AFF_OPT_TEXT(struct config, content_type, 0, NULL, "The Content-Type, where it is not the format's own."),
    AFF_OPT_SECRET(struct config, token, 0, "The bearer token."),
    AFF_OPT_TEXT(struct config, user, 0, NULL, "The user's name, for basic authentication."),
    AFF_OPT_SECRET(struct config, password, 0, "The user's password."),
    AFF_OPT_TABLE(struct config, oauth, 0, oauth_options, sizeof(struct oauth_config),
                  "Where a bearer token is got by OAuth 2 client credentials."),
    HTTP_WAY_OPTIONS(struct config),
    AFF_OPT_TABLE(struct config, fhir, 0, fhir_options, sizeof(struct fhir_config), "What stands in FHIR resources."),
    AFF_OPT_TABLE(struct config, answer, 0, answer_options, sizeof(struct answer_config),
                  "Where the answer says what became of each record; without it only an answer 207 is looked into."),
};

uint32_t config_records_most(const struct config *config)
{
    return config->format == FORMAT_RAW ? 1u : (uint32_t)config->batch_records;
}

static bool credentials_check(const struct config *c, const struct aff_report *report)
{
    int ways = (c->token != NULL) + (c->user != NULL) + (c->oauth != NULL);
    const char *option = NULL, *problem = NULL;

    if (ways > 1) {
        option = "token";
        problem = "token, user and oauth are several ways to say who this is; expected one of them; take the others away";
    } else if (c->token && (!*c->token || !http_is_line(c->token))) {
        option = "token";
        problem = "token is empty or has more than one line; expected one line; check the file it comes from";
    } else if (c->user && strchr(c->user, ':')) {
        option = "user";
        problem = "user has a colon in it, which basic authentication cannot send; expected a name without; ask the server's owner";
    } else if (c->password && !c->user) {
        option = "password";
        problem = "password stands without user; expected both; add user";
    }
    if (problem)
        report->problem(report, option, "%s", problem);
    return !problem;
}

/* answer.c has room for no more. */
enum { PATH_KEYS_MOST = 30, PATH_MOST = 200 };

static bool is_no_path(const char *path)
{
    size_t keys = 1;

    for (const char *p = path; *p; p++)
        keys += *p == '.';
    return *path == '.' || strstr(path, "..") || (*path && path[strlen(path) - 1] == '.') || keys > PATH_KEYS_MOST ||
           strlen(path) > PATH_MOST;
}

static bool answer_check(const struct config *c, const struct aff_report *report)
{
    const struct answer_config *a = c->answer;

    if (!a || (!is_no_path(a->rows) && !is_no_path(a->status) && !is_no_path(a->id) && *a->status))
        return true;
    report->problem(report, "answer", "a place in the answer is no list of keys; expected such as \"items.status\"; "
                    "write keys joined by single points");
    return false;
}

static bool content_type_check(const struct config *c, const struct aff_report *report)
{
    if (!c->content_type || http_is_line(c->content_type))
        return true;
    report->problem(report, "content_type", "content_type has more than one line; expected one line; write a media type");
    return false;
}

aff_status http_validate(const void *config, const struct aff_report *report)
{
    static const char *const ours[] = { "idempotency-key", "afferent-resent", NULL };
    const struct config *c = config;
    bool good = http_url_check(&c->way, c->url, "url", report);

    good = (!c->oauth || http_url_check(&c->way, c->oauth->url, "oauth.url", report)) && good;
    good = http_headers_check(&c->way, ours, report) && content_type_check(c, report) && good;
    good = credentials_check(c, report) && http_cert_check(&c->way, report) && good;
    good = answer_check(c, report) && good;
    if (!good)
        return AFF_ERR_CONFIG;
    if (http_is_secure(&c->way, c->url))
        report->secure(report);
    http_dangers_note(&c->way, report);
    return AFF_OK;
}

/* What could only become dead letters is said beforehand. */
aff_status http_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct config *c = config;
    const char *problem = NULL;

    for (uint32_t i = 0; i < inputs->count; i++) {
        const struct aff_shape *in = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);
        bool is_whole = in->schema && (in->schema->type == AFF_BYTES || in->schema->type == AFF_IMAGE);

        if (in->schema && !is_whole && c->format == FORMAT_RAW)
            problem = "raw sends payloads as they are, and rows and samples have no bytes of their own; expected json, "
                      "ndjson or fhir; change format";
        else if (is_whole && c->format == FORMAT_FHIR)
            problem = "fhir makes Observations of rows and samples, and bytes are neither; expected json, ndjson or raw; "
                      "change format";
    }
    if (!problem)
        return AFF_OK;
    report->problem(report, "format", "%s", problem);
    return AFF_ERR_CONFIG;
}
