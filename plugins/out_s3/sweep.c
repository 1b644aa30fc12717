/* sweep.c - uploads that were begun and never ended are taken away, see store.h.
 *
 * A store keeps the parts of such an upload, unseen and paid for, until somebody takes it
 * away. Listed is what is under way below the fixed beginning of the keys, and of that
 * only those whose key can be of this sink's template, and which began longer ago than
 * abort_after by the store's own clock. To take away one that another node is still busy
 * with costs that node nothing but sending it again. With abort_after = 0 all of them are
 * this node's: they are taken away at the start, before anything is sent; later on those of
 * a day.
 *
 * A store that does not let uploads be listed or aborted is asked again at the next
 * start; that is said in the log, once. */
#include "store.h"

#include <stdio.h>
#include <string.h>

#include "xml.h"

enum { PAGES_MOST = 100, FAILURES_MOST = 5, DAY_S = 86400 };
#define S INT64_C(1000000000)
#define EVERY_NS (6 * 3600 * S)

void sweep_leave(struct sweep *w, const char *key, size_t key_size, const char *id)
{
    struct left *l = &w->left[w->left_count];

    if (w->left_count == LEFT_MOST || key_size >= sizeof l->key || strlen(id) >= sizeof l->id)
        return; /* the next list has it */
    memcpy(l->key, key, key_size);
    l->key[key_size] = '\0';
    memcpy(l->id, id, strlen(id) + 1);
    w->left_count++;
}

/* ---- asking ---- */

static const char *list_load(struct store *s)
{
    struct sweep *w = &s->sweep;
    struct text query = { 0 }, prefix = { 0 };
    struct ask ask = { .method = HTTP_GET };
    const char *why = "no memory for a request";

    if (w->key_marker[0]) {
        text_say(&query, "key-marker=");
        sign_escape(&query, w->key_marker, strlen(w->key_marker), false);
        text_say(&query, "&");
    }
    text_say(&query, "max-uploads=32&prefix=");
    key_prefix(&prefix, s->config);
    if (prefix.size > 0)
        sign_escape(&query, prefix.bytes, prefix.size, false);
    if (w->key_marker[0]) {
        text_say(&query, "&upload-id-marker=");
        sign_escape(&query, w->id_marker, strlen(w->id_marker), false);
    }
    text_say(&query, "&uploads=");
    text_add(&query, "", 1);
    ask.query = query.bytes;
    if (!query.failed && !prefix.failed)
        why = store_load(s, &w->transfer, &w->headers, &ask);
    text_free(&query);
    text_free(&prefix);
    return why;
}

static const char *abort_load(struct store *s)
{
    struct sweep *w = &s->sweep;
    const struct left *l = &w->left[w->aborting];
    struct ask ask = { .method = HTTP_DELETE, .key = l->key, .key_size = strlen(l->key) };
    struct text query = { 0 };
    const char *why = "no memory for a request";

    text_say(&query, "uploadId=");
    sign_escape(&query, l->id, strlen(l->id), false);
    text_add(&query, "", 1);
    ask.query = query.bytes;
    if (!query.failed)
        why = store_load(s, &w->transfer, &w->headers, &ask);
    text_free(&query);
    return why;
}

/* Requests with records wait for the first list where all that it has is this node's. */
static bool is_clear(const struct store *s)
{
    const struct sweep *w = &s->sweep;

    return s->config->abort_after > 0 || w->is_first_done;
}

/* The first sweep and what is left over need no record that waits; the later ones do. */
static bool is_due(const struct sweep *w, bool wanted)
{
    int64_t now = pump_now();

    if (w->state != SWEEP_IDLE || now < w->not_before_ns)
        return false;
    return w->left_count > 0 || w->is_more || w->next_ns == 0 || (wanted && now >= w->next_ns);
}

bool sweep_prepare(void *store, bool wanted, struct transfer **ret_send, const char **ret_why)
{
    struct store *s = store;
    struct sweep *w = &s->sweep;
    const char *why;

    if (!is_due(w, wanted))
        return is_clear(s);
    w->state = w->left_count > 0 ? SWEEP_ABORTS : SWEEP_LISTS;
    w->aborting = w->left_count - (w->left_count > 0);
    why = w->state == SWEEP_ABORTS ? abort_load(s) : list_load(s);
    if (!why) {
        *ret_send = &w->transfer;
    } else {
        w->state = SWEEP_IDLE;
        w->not_before_ns = pump_now() + S;
        *ret_why = why;
    }
    return is_clear(s);
}

/* ---- the list ---- */

struct listed {
    struct store *store;
    int64_t now_s; /* by the store */
    struct left one;
    int64_t since_s;
    char key_marker[KEY_MOST + 1], id_marker[UPLOAD_ID_MOST + 1];
    bool is_more;
};

static void word_take(char *to, size_t room, const char *text)
{
    size_t size = strlen(text);

    to[0] = '\0';
    if (size < room)
        memcpy(to, text, size + 1);
}

/* Of the year 2026-11-22T01:02:03.000Z. */
static int64_t seconds_of(const char *text)
{
    char words[64];
    unsigned year, month, day, hour, minute, second;
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

    if (sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute, &second) != 6 || month < 1 || month > 12)
        return INT64_MAX;
    (void)snprintf(words, sizeof words, "%u %s %u %02u:%02u:%02u GMT", day % 100, months[month - 1], year, hour % 100, minute % 100,
                   second % 100);
    return curl_getdate(words, NULL);
}

static void upload_end(struct listed *l)
{
    const struct config *c = l->store->config;
    int64_t age_s = c->abort_after == 0 && l->store->sweep.is_first_done ? DAY_S : c->abort_after / S;
    bool is_old = age_s == 0 || (l->since_s < l->now_s && l->now_s - l->since_s >= age_s);

    if (is_old && l->one.id[0] && l->one.key[0] && key_is_ours(c, l->one.key))
        sweep_leave(&l->store->sweep, l->one.key, strlen(l->one.key), l->one.id);
    l->one.key[0] = l->one.id[0] = '\0';
    l->since_s = INT64_MAX;
}

static void list_take(void *self, const char *path, const char *text)
{
    struct listed *l = self;

    if (strncmp(path, "ListMultipartUploadsResult/", 27) != 0)
        return;
    path += 27;
    if (strcmp(path, "Upload") == 0)
        upload_end(l);
    else if (!text)
        return;
    else if (strcmp(path, "Upload/Key") == 0)
        word_take(l->one.key, sizeof l->one.key, text);
    else if (strcmp(path, "Upload/UploadId") == 0)
        word_take(l->one.id, sizeof l->one.id, text);
    else if (strcmp(path, "Upload/Initiated") == 0)
        l->since_s = seconds_of(text);
    else if (strcmp(path, "NextKeyMarker") == 0)
        word_take(l->key_marker, sizeof l->key_marker, text);
    else if (strcmp(path, "NextUploadIdMarker") == 0)
        word_take(l->id_marker, sizeof l->id_marker, text);
    else if (strcmp(path, "IsTruncated") == 0)
        l->is_more = strcmp(text, "true") == 0;
}

static int64_t date_of(const struct transfer *t)
{
    struct curl_header *date = NULL;

    if (curl_easy_header(t->easy, "Date", 0, CURLH_HEADER, -1, &date) != CURLHE_OK)
        return 0;
    return curl_getdate(date->value, NULL);
}

static void sweep_rest(struct sweep *w)
{
    w->is_more = false;
    w->pages = 0;
    w->key_marker[0] = w->id_marker[0] = '\0';
    w->next_ns = pump_now() + EVERY_NS;
}

/* A page with more than there is room for is listed anew when that is gone. */
static bool list_finish(struct store *s)
{
    struct sweep *w = &s->sweep;
    struct listed l = { .store = s, .now_s = date_of(&w->transfer), .since_s = INT64_MAX };
    const struct text *body = &w->transfer.answer;
    uint32_t before = w->left_count;

    if (!xml_read(body->bytes, body->size, list_take, &l)) {
        w->left_count = before;
        return false;
    }
    if (w->left_count == LEFT_MOST && ++w->pages < PAGES_MOST) {
        w->is_more = true;
    } else if (l.is_more && l.key_marker[0] && ++w->pages < PAGES_MOST) {
        memcpy(w->key_marker, l.key_marker, sizeof w->key_marker);
        memcpy(w->id_marker, l.id_marker, sizeof w->id_marker);
        w->is_more = true;
    } else {
        sweep_rest(w);
    }
    return true;
}

/* ---- the end of a request ---- */

static void sweep_refused(struct store *s)
{
    struct sweep *w = &s->sweep;

    atomic_fetch_or(&s->cannot_sweep, 1);
    w->left_count = w->failures = 0;
    sweep_rest(w);
}

static bool is_later(long status)
{
    return status == 429 || (status >= 500 && status != 501);
}

/* A store that takes objects and fails on this alone is left in peace after a few tries. Records
 * that wait for the first list say why. */
static const char *sweep_later(struct store *s)
{
    struct sweep *w = &s->sweep;
    int64_t wait = S << w->failures, most = s->config->retry_after_most, asked = transfer_retry_after(&w->transfer);

    if (asked > 0)
        wait = asked >= most / S ? most : asked * S;
    w->not_before_ns = pump_now() + wait;
    if (++w->failures < FAILURES_MOST)
        return is_clear(s) ? NULL : "the store does not list unfinished uploads now (5xx or 429)";
    sweep_refused(s);
    return NULL;
}

/* While it was under way others may have been added behind it. */
static void aborted_remove(struct store *s)
{
    struct sweep *w = &s->sweep;

    w->left[w->aborting] = w->left[--w->left_count];
    atomic_fetch_add(&s->aborted, 1);
}

const char *sweep_prepared(void *store, CURLcode code)
{
    struct store *s = store;
    struct sweep *w = &s->sweep;
    enum sweep_state was = w->state;
    const char *failed = transfer_failed(&w->transfer, code);
    long status = transfer_status(&w->transfer);
    bool good = status >= 200 && status <= 299;

    w->state = SWEEP_IDLE;
    if (failed) {
        w->not_before_ns = pump_now() + S;
        return failed;
    }
    if (is_later(status)) {
        failed = sweep_later(s);
    } else {
        w->failures = 0;
        if (was == SWEEP_ABORTS && (good || status == 404))
            aborted_remove(s);
        else if (was == SWEEP_ABORTS || !good || !list_finish(s))
            sweep_refused(s);
    }
    w->is_first_done |= w->next_ns > 0 && w->left_count == 0 && !w->is_more;
    return failed;
}
