/* store.c - an object's way to the store, see store.h. */
#include "store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 4, STALL_S = 60, PARTS_MOST = 10000, ETAG_MOST = 256, BASE64_ROOM = 64 };

/* What a call has of its own: the object under way. By call->turn: 0 all of it, or the
 * beginning of an upload; 1 to `parts` a part; then the end. */
struct own {
    struct curl_slist *headers;
    struct text key;      /* without a zero */
    struct text whole;    /* a view of what is sent */
    struct text part;     /* a view of a piece of it */
    struct text complete; /* the document that ends the upload */
    uint32_t parts;       /* 0: one piece */
    char id[UPLOAD_ID_MOST + 1];
};

bool store_open(struct store *s, const struct config *config)
{
    struct sweep *w = &s->sweep;

    s->config = config;
    s->who = (struct sign_who){ config->access_key, config->secret_key, config->region, "s3" };
    if (!config_place(config, &s->place))
        return false;
    s->target = (struct target){ &config->way, s->place.origin, NULL, true };
    w->left = calloc(LEFT_MOST, sizeof *w->left);
    return sodium_init() >= 0 && w->left && transfer_open(&w->transfer, &s->target);
}

void store_close(struct store *s)
{
    transfer_close(&s->sweep.transfer);
    curl_slist_free_all(s->sweep.headers);
    free(s->sweep.left);
}

/* ---- the object ---- */

static const struct frame_marks csv = { "", "", "", "", "" };

static const struct frame_marks *marks_of(const struct config *c)
{
    return c->format == FORMAT_JSON ? &frame_list : c->format == FORMAT_NDJSON ? &frame_lines : &csv;
}

/* A group is what a key is made of and, behind a zero, the first line of a file. */
static size_t group_key_size(const struct text *group)
{
    const char *zero = memchr(group->bytes, 0, group->size);

    return zero ? (size_t)(zero - group->bytes) : group->size;
}

static bool body_make(const struct config *c, struct call *call, struct text *ret_whole)
{
    size_t key_size = group_key_size(call->group);
    struct text *body = &call->body;

    if (c->format == FORMAT_RAW && c->compress == PACK_NONE) { /* as it lies there */
        *ret_whole = (struct text){ call->elements->bytes + call->items[0].begin, call->items[0].end - call->items[0].begin, 0, 0 };
        return true;
    }
    body->size = 0;
    if (key_size < call->group->size)
        text_add(body, call->group->bytes + key_size + 1, call->group->size - key_size - 1);
    frame_join(body, marks_of(c), call->elements, call->items, call->count);
    if (body->failed) {
        text_free(body);
        return false;
    }
    if (c->compress != PACK_NONE && !frame_pack(&call->packed, body, c->compress))
        return false;
    *ret_whole = c->compress != PACK_NONE ? call->packed : *body;
    return true;
}

static const char *object_begin(const struct store *s, struct call *call, struct own *own)
{
    const struct config *c = s->config;
    size_t parts;

    own->id[0] = '\0';
    own->key.size = own->complete.size = 0;
    own->key.failed = own->complete.failed = 0;
    if (!key_write(&own->key, call->group->bytes, group_key_size(call->group), call->items, call->count) ||
        !body_make(c, call, &own->whole))
        return "no memory for an object";
    parts = own->whole.size <= (size_t)c->part_bytes ? 0 : (own->whole.size - 1) / (size_t)c->part_bytes + 1;
    if (parts > PARTS_MOST)
        return "an object has more than 10000 parts; raise part_bytes";
    own->parts = (uint32_t)parts;
    text_say(&own->complete, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    return NULL;
}

/* ---- what is sent ---- */

static const char *upload_load(const struct store *s, struct call *call, struct own *own)
{
    struct ask ask = { .method = HTTP_POST, .key = own->key.bytes, .key_size = own->key.size, .body = &own->part };
    struct text query = { 0 };
    const char *why;

    own->part = (struct text){ 0 };
    if (call->turn == 0) {
        text_say(&query, "uploads=");
        ask.is_object = true;
    } else if (call->turn <= own->parts) {
        size_t each = (size_t)s->config->part_bytes, from = each * (call->turn - 1u);

        own->part = (struct text){ own->whole.bytes + from, own->whole.size - from < each ? own->whole.size - from : each, 0, 0 };
        ask.method = HTTP_PUT;
        text_say(&query, "partNumber=");
        text_int(&query, call->turn);
        text_say(&query, "&uploadId=");
    } else {
        ask.body = &own->complete;
        ask.is_xml = true;
        text_say(&query, "uploadId=");
    }
    sign_escape(&query, own->id, strlen(own->id), false);
    text_add(&query, "", 1);
    ask.query = query.bytes;
    why = query.failed ? "no memory for a request" : store_load(s, &call->transfer, &own->headers, &ask);
    text_free(&query);
    return why;
}

/* A thin link may need long for a part; what counts is that bytes go. */
static bool stall_set(CURL *e)
{
    return curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)STALL_S) == CURLE_OK;
}

static const char *call_load(void *self, struct call *call)
{
    const struct store *s = self;
    struct own *own = call->own;
    struct ask ask = { .method = HTTP_PUT, .query = "", .body = &own->whole, .is_object = true };
    const char *why = call->turn == 0 ? object_begin(s, call, own) : NULL;

    if (why)
        return why;
    if (!stall_set(call->transfer.easy))
        return "no memory for a request";
    if (own->parts > 0)
        return upload_load(s, call, own);
    ask.key = own->key.bytes;
    ask.key_size = own->key.size;
    return store_load(s, &call->transfer, &own->headers, &ask);
}

/* ---- what came back ---- */

static const char strange[] = "what answers is no S3 store; check endpoint";

static enum judgement call_restart(struct store *s, struct call *call, struct own *own)
{
    if (own->id[0])
        sweep_leave(&s->sweep, own->key.bytes, own->key.size, own->id);
    own->id[0] = '\0';
    call->turn = 0;
    return JUDGE_LATER;
}

static enum judgement call_failed(struct store *s, struct call *call, const struct answer *a, const char **ret_why)
{
    long status = transfer_status(&call->transfer);

    (void)snprintf(call->words, sizeof call->words, "HTTP %ld%s%s", status, *a->code ? " " : "", a->code);
    switch (answer_verdict(status, a->code, ret_why)) {
    case VERDICT_RESTART:
        return call_restart(s, call, call->own);
    case VERDICT_REFUSED:
        return call->count > 1 ? JUDGE_SPLIT : JUDGE_REFUSED;
    default:
        return JUDGE_LATER;
    }
}

/* The store's mark of what it got. NULL: there is none that can be believed. */
static const char *etag_of(const struct call *call)
{
    struct curl_header *etag = NULL;

    if (curl_easy_header(call->transfer.easy, "ETag", 0, CURLH_HEADER, -1, &etag) != CURLHE_OK || !*etag->value ||
        strlen(etag->value) > ETAG_MOST || strpbrk(etag->value, "<>&"))
        return NULL;
    return etag->value;
}

/* What the end of an upload says of a part: its number and that mark. */
static bool part_note(const struct store *s, struct call *call, struct own *own)
{
    const char *etag = etag_of(call);
    uint8_t hash[crypto_hash_sha256_BYTES];
    char digits[BASE64_ROOM];
    struct text *t = &own->complete;

    if (!etag)
        return false;
    text_say(t, "<Part><PartNumber>");
    text_int(t, call->turn);
    text_say(t, "</PartNumber><ETag>");
    text_say(t, etag);
    text_say(t, "</ETag>");
    if (s->config->checksum) {
        (void)crypto_hash_sha256(hash, (const uint8_t *)own->part.bytes, own->part.size);
        text_say(t, "<ChecksumSHA256>");
        text_say(t, sodium_bin2base64(digits, sizeof digits, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL));
        text_say(t, "</ChecksumSHA256>");
    }
    text_say(t, "</Part>");
    if (call->turn == own->parts)
        text_say(t, "</CompleteMultipartUpload>");
    return true;
}

static enum judgement upload_judge(struct store *s, struct call *call, const struct answer *a, const char **ret_why)
{
    struct own *own = call->own;

    *ret_why = strange;
    if (call->turn == 0) {
        if (!a->is_whole || !a->upload_id[0])
            return JUDGE_LATER;
        memcpy(own->id, a->upload_id, sizeof own->id);
        return JUDGE_MORE;
    }
    if (call->turn <= own->parts) {
        if (!part_note(s, call, own))
            return JUDGE_LATER;
        atomic_fetch_add(&s->parts, 1);
        return JUDGE_MORE;
    }
    if (!a->is_whole || !a->is_complete)
        return JUDGE_LATER;
    own->id[0] = '\0';
    return JUDGE_ACCEPTED;
}

static enum judgement call_judge(void *self, struct call *call, unsigned *statuses, const char **ret_why)
{
    struct store *s = self;
    const struct own *own = call->own;
    long status = transfer_status(&call->transfer);
    struct answer a;

    (void)statuses;
    answer_read(&a, call->transfer.answer.bytes, call->transfer.answer.size);
    if (status < 200 || status > 299 || a.is_error)
        return call_failed(s, call, &a, ret_why);
    if (own->parts > 0)
        return upload_judge(s, call, &a, ret_why);
    *ret_why = strange; /* a store marks what it has */
    return etag_of(call) ? JUDGE_ACCEPTED : JUDGE_LATER;
}

/* ---- the end ---- */

static void call_dropped(void *self, struct call *call)
{
    struct store *s = self;

    (void)call_restart(s, call, call->own);
}

static void call_close(void *self, struct call *call)
{
    struct own *own = call->own;

    (void)self;
    curl_slist_free_all(own->headers);
    text_free(&own->key);
    text_free(&own->complete);
}

const struct pump_kind store_kind = {
    .thread = "out_s3",
    .tries = TRIES,
    .own_size = sizeof(struct own),
    .load = call_load,
    .judge = call_judge,
    .dropped = call_dropped,
    .close = call_close,
    .prepare = sweep_prepare,
    .prepared = sweep_prepared,
};
