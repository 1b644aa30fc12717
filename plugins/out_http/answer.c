/* answer.c - see answer.h.
 *
 * A status that speaks of the credentials, the address or the load says nothing of
 * the records: these are sent again. One that speaks of the content says that the
 * record is bad where there is but one, and that one of them is where there are more.
 *
 * Not here: waiting, tokens, splitting (http/pump.h). */
#include "answer.h"

#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { NODES = 64, KEYS = 32, KEY_BYTES = 256, SOURCE_STATUS = 0, SOURCE_ID = 1, ID_MOST = 128 };

/* ---- the whole ---- */

static const char *later_4xx(long status)
{
    switch (status) {
    case 401:
        return "the server does not accept the credentials (401); check token, user or oauth";
    case 403:
        return "the server does not allow this client to write (403); ask its owner for the right";
    case 404:
    case 410:
        return "nothing is at the URL (404); check url";
    case 405:
    case 501:
        return "the URL does not take this method (405); check method and url";
    case 402:
    case 426:
    case 428:
        return "the server wants something else first (402, 426 or 428); ask its owner";
    case 407:
        return "the proxy does not accept the credentials (407); check proxy";
    case 406:
    case 415:
        return "the server does not take this format or its packing (415); check format, compress and content_type";
    case 408:
    case 425:
        return "the server asks to send again (408)";
    case 421:
        return "another server is meant (421); check url";
    case 423:
        return "what is written to is locked (423)";
    case 429:
        return "the server asks for fewer requests (429)";
    default:
        return NULL;
    }
}

enum judgement answer_judge(const struct config *config, long status, uint32_t count, const char **ret_why)
{
    *ret_why = NULL;
    if (status >= 200 && status < 300)
        return config->format == FORMAT_FHIR || config->answer || status == 207 ? JUDGE_EACH : JUDGE_ACCEPTED;
    if (status >= 300 && status < 400) {
        *ret_why = "the server answers with a redirect, which is not followed; write the address that it names as url";
        return JUDGE_LATER;
    }
    if (status == 500) {
        *ret_why = "the server failed (500)";
        return count > 1 ? JUDGE_DOUBT : JUDGE_LATER;
    }
    *ret_why = later_4xx(status);
    if (status == 401)
        return JUDGE_WHO;
    if (*ret_why)
        return JUDGE_LATER;
    if (status >= 400 && status < 500)
        return count > 1 ? JUDGE_SPLIT : JUDGE_REFUSED;
    *ret_why = status == 503 ? "the server is not available (503)" : "the server failed (5xx)";
    return JUDGE_LATER;
}

/* What speaks of who sends, of the load or of another record says nothing of this one. */
aff_status answer_outcome(unsigned status)
{
    if ((status >= 200 && status < 300) || status == 304)
        return AFF_OK;
    if ((status >= 401 && status <= 403) || status == 407 || status == 408 || (status >= 423 && status <= 425) || status == 429)
        return AFF_ERR_IO;
    return status >= 400 && status < 500 ? AFF_ERR_DATA : AFF_ERR_IO;
}

/* ---- each ---- */

struct answers {
    struct json *json;
    struct json_node nodes[NODES];
    uint32_t node_count;
    const char *root[KEYS + 1];
    char keys[3][KEY_BYTES];
    /* of the body in hand */
    struct outcomes asked;
    uint32_t next;
    unsigned status;
    char id[ID_MOST];
    bool is_wrong;
};

static bool key_is(const struct json_node *n, const char *key, size_t size)
{
    return n->key_size == size && memcmp(n->key, key, size) == 0;
}

static uint32_t child_of(struct answers *a, uint32_t parent, const char *key, size_t size)
{
    uint32_t at = a->nodes[parent].child;

    while (at && !key_is(&a->nodes[at], key, size))
        at = a->nodes[at].sibling;
    if (at || a->node_count == NODES)
        return at;
    at = a->node_count++;
    a->nodes[at] = (struct json_node){ key, (uint32_t)size, 0, a->nodes[parent].child, JSON_NO_SOURCE };
    a->nodes[parent].child = at;
    return at;
}

static bool path_add(struct answers *a, const char *path, int32_t source)
{
    uint32_t node = 0;

    while (*path) {
        size_t size = strcspn(path, ".");

        node = child_of(a, node, path, size);
        if (!node)
            return false;
        path += size + (path[size] == '.');
    }
    if (node)
        a->nodes[node].source = source;
    return true;
}

static bool root_set(struct answers *a, char *path)
{
    size_t n = 0;
    char *save = NULL, *key;

    for (key = strtok_r(path, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
        if (n == KEYS)
            return false;
        a->root[n++] = key;
    }
    return true;
}

static bool paths_set(struct answers *a, const struct config *c)
{
    static const struct answer_config fhir = { "entry", "response.status", "" }, plain = { "", "status", "id" };
    const struct answer_config *from = c->format == FORMAT_FHIR ? &fhir : c->answer ? c->answer : &plain;
    const char *const paths[] = { from->rows, from->status, from->id };

    for (int i = 0; i < 3; i++) {
        if (strlen(paths[i]) >= KEY_BYTES)
            return false;
        memcpy(a->keys[i], paths[i], strlen(paths[i]) + 1u);
    }
    a->nodes[0] = (struct json_node){ "", 0, 0, 0, JSON_NO_SOURCE };
    a->node_count = 1;
    return root_set(a, a->keys[0]) && path_add(a, a->keys[1], SOURCE_STATUS) && path_add(a, a->keys[2], SOURCE_ID);
}

struct answers *answers_open(const struct config *config)
{
    struct answers *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    if (paths_set(a, config))
        a->json = json_open((size_t)config->answer_most, a->root, a->nodes, a->node_count);
    if (a->json)
        return a;
    free(a);
    return NULL;
}

void answers_close(struct answers *a)
{
    if (!a)
        return;
    json_close(a->json);
    free(a);
}

size_t answers_padding(void)
{
    return json_padding();
}

static void outcome_begin(void *self)
{
    struct answers *a = self;

    a->status = 0;
    a->id[0] = 0;
}

/* "201", "201 Created" (R4, Bundle.entry.response.status) or 201. */
static unsigned status_of(const struct json_value *v)
{
    unsigned status = 0;
    uint32_t i;

    for (i = 0; i < v->size && i < 3 && v->text[i] >= '0' && v->text[i] <= '9'; i++)
        status = status * 10u + (unsigned)(v->text[i] - '0');
    if (i < 3 || (v->size > 3 && (v->kind != JSON_STRING || v->text[3] != ' ')) || status < 100 || status > 599)
        return 0;
    return status;
}

static void outcome_value(void *self, int32_t source, const struct json_value *v)
{
    struct answers *a = self;

    if (source == SOURCE_STATUS && (v->kind == JSON_NUMBER || v->kind == JSON_STRING)) {
        a->status = status_of(v);
    } else if (source == SOURCE_ID && v->kind == JSON_STRING && v->size < ID_MOST) {
        memcpy(a->id, v->text, v->size);
        a->id[v->size] = 0;
    }
}

/* Where the outcome belongs; count: nowhere. Outcomes mostly come in order. */
static uint32_t place_of(const struct answers *a)
{
    char id[ID_ROOM];

    if (!a->id[0])
        return a->next;
    for (uint32_t i = 0; i < a->asked.count; i++) {
        uint32_t at = (a->next + i) % a->asked.count;

        record_id(*(const struct aff_id *)(const void *)((const char *)a->asked.ids + at * a->asked.stride), id);
        if (strcmp(id, a->id) == 0)
            return at;
    }
    return a->next; /* an id of the server's own: the order counts */
}

static int outcome_row(void *self, size_t at, size_t size, enum json_status status)
{
    struct answers *a = self;
    uint32_t place;

    (void)at;
    (void)size;
    place = a->next < a->asked.count ? place_of(a) : a->asked.count;
    a->next++;
    a->is_wrong |= status != JSON_FINE || place >= a->asked.count || a->asked.statuses[place] != 0 || a->status == 0;
    if (!a->is_wrong)
        a->asked.statuses[place] = a->status;
    return a->is_wrong;
}

bool answers_read(struct answers *a, const char *body, size_t size, const struct outcomes *outcomes)
{
    static const struct json_calls calls = { .begin = outcome_begin, .value = outcome_value, .row = outcome_row };
    enum json_status st;
    size_t at = 0;

    memset(outcomes->statuses, 0, outcomes->count * sizeof *outcomes->statuses);
    a->asked = *outcomes;
    a->next = 0;
    a->is_wrong = size == 0;
    if (a->is_wrong)
        return false;
    st = json_walk(a->json, body, size, &calls, a, &at);
    return st == JSON_FINE && !a->is_wrong && a->next == outcomes->count;
}
