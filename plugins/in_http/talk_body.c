/* SPDX-License-Identifier: Apache-2.0
 *
 * talk_body.c - the body of a request, as it comes and when it is whole: size, forms, JSON,
 * and by what it is known again. Digests are SHA-256, cut: who sends could choose the text. */
#include "door.h"

#include <gnutls/crypto.h>
#include <string.h>
#include <strings.h>

#include "split.h"

enum { POST_BUFFER = 4096, KEY_MOST = 255, DIGEST = 32 };

/* ---- as it comes ---- */

static void add(struct talk *t, const char *data, size_t size)
{
    struct request *r = t->request;

    if (r->used - t->body_at + size > (size_t)t->door->config->max_body || r->room - r->used < size) {
        t->answer.limit = (uint64_t)t->door->config->max_body;
        talk_refuse(t, ANSWER_LARGE);
        return;
    }
    memcpy(r->memory + r->used, data, size);
    r->used += size;
}

static void file_begin(struct talk *t, const char *file)
{
    struct request *r = t->request;

    if (!file || !*file) {
        talk_refuse(t, ANSWER_FORM_FIELD);
    } else if (r->part_count == ROUTE_FILES_MOST) {
        t->answer.limit = ROUTE_FILES_MOST;
        talk_refuse(t, ANSWER_MANY_FILES);
    } else if (!talk_names(t, &r->parts[r->part_count], file)) {
        talk_refuse(t, ANSWER_NAME);
    } else {
        r->parts[r->part_count++].at = r->used;
    }
}

static enum MHD_Result form_piece(void *self, enum MHD_ValueKind kind, const char *key, const char *file, const char *type,
                                  const char *coding, const char *data, uint64_t offset, size_t size)
{
    struct talk *t = self;
    struct request *r = t->request;

    (void)kind;
    (void)key;
    (void)type;
    if (coding && strcasecmp(coding, "binary") != 0 && strcasecmp(coding, "8bit") != 0 && strcasecmp(coding, "7bit") != 0)
        talk_refuse(t, ANSWER_FORM_BAD);
    if (offset == 0 && t->answer.code == ANSWER_NONE)
        file_begin(t, file);
    if (t->answer.code == ANSWER_NONE)
        add(t, data, size);
    if (t->answer.code != ANSWER_NONE)
        return MHD_NO;
    r->parts[r->part_count - 1].size = r->used - r->parts[r->part_count - 1].at;
    return MHD_YES;
}

static void form_add(struct talk *t, const char *data, size_t size)
{
    if (!t->post)
        t->post = MHD_create_post_processor(t->connection, POST_BUFFER, form_piece, t);
    if (!t->post)
        talk_refuse(t, ANSWER_TYPE_FORM);
    else if (MHD_post_process(t->post, data, size) != MHD_YES)
        talk_refuse(t, ANSWER_FORM_BAD);
}

void talk_body(struct talk *t, const char *data, size_t size)
{
    if (t->kind == BODY_FORM)
        form_add(t, data, size);
    else
        add(t, data, size);
}

/* ---- when it is whole ---- */

static void form_finish(struct talk *t)
{
    bool is_whole = t->post && MHD_destroy_post_processor(t->post) == MHD_YES;

    t->post = NULL;
    if (!is_whole)
        talk_refuse(t, ANSWER_FORM_BAD);
    else if (t->request->part_count == 0)
        talk_refuse(t, ANSWER_FORM_EMPTY);
}

static void body_finish(struct talk *t)
{
    struct request *r = t->request;
    struct part *p = &r->parts[0];

    p->at = t->body_at;
    p->size = r->used - t->body_at;
    r->part_count = 1;
    if (!talk_names(t, p, NULL)) {
        talk_refuse(t, ANSWER_NAME);
        return;
    }
    if (t->kind == BODY_FILE)
        return;
    (void)split_text(t->door->json, r->memory + p->at, p->size, t->kind == BODY_LINES, (size_t)t->door->config->max_row,
                     &p->size, &t->answer);
    r->used = p->at + p->size;
}

/* ---- by what it is known again ---- */

static bool digest_add(gnutls_hash_hd_t hash, const void *bytes, uint64_t size)
{
    return gnutls_hash(hash, &size, sizeof size) == 0 && gnutls_hash(hash, bytes, (size_t)size) == 0;
}

static bool content_add(gnutls_hash_hd_t hash, const struct request *r)
{
    bool fine = true;
    uint32_t i;

    for (i = 0; i < r->part_count && fine; i++) {
        const struct part *p = &r->parts[i];

        fine = digest_add(hash, p->subject, strlen(p->subject)) && digest_add(hash, p->stream, strlen(p->stream)) &&
               digest_add(hash, r->memory + p->at, p->size);
    }
    return fine;
}

/* Of the client and `key`; of the client and the content where there is none. */
static bool digest(const struct talk *t, const char *key, size_t key_size, uint64_t ret[DIGEST / 8])
{
    gnutls_hash_hd_t hash;
    bool fine;

    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) != 0)
        return false;
    fine = digest_add(hash, t->client, strlen(t->client)) && digest_add(hash, key ? "key" : "content", key ? 3 : 7);
    fine = fine && (key ? digest_add(hash, key, key_size) : content_add(hash, t->request));
    gnutls_hash_deinit(hash, ret);
    return fine;
}

/* A key as text, or as a string of RFC 8941 in quotes: the same without them. */
static bool key_read(const char *text, char ret[KEY_MOST + 1], size_t *ret_size)
{
    bool quoted = text[0] == '"';
    size_t used = 0;

    for (text += quoted; *text && !(quoted && *text == '"'); text++) {
        if (quoted && *text == '\\' && (text[1] == '"' || text[1] == '\\'))
            text++;
        if ((unsigned char)*text < 0x20 || used == KEY_MOST)
            return false;
        ret[used++] = *text;
    }
    *ret_size = used;
    return used > 0 && (quoted ? text[0] == '"' && !text[1] : true);
}

static void key_set(struct talk *t)
{
    const char *text = talk_header(t, "Idempotency-Key");
    struct request *r = t->request;
    uint64_t content[DIGEST / 8] = { 0 }, named[DIGEST / 8] = { 0 };
    char key[KEY_MOST + 1];
    size_t size = 0;

    r->has_key = text || t->door->config->no_key == NO_KEY_BODY;
    if (text && !key_read(text, key, &size)) {
        talk_refuse(t, ANSWER_BAD_KEY);
        return;
    }
    if (r->has_key && (!digest(t, NULL, 0, content) || (text && !digest(t, key, size, named)))) {
        talk_refuse(t, ANSWER_FULL);
        return;
    }
    memcpy(r->key, text ? named : content, sizeof r->key);
    r->print = content[2];
}

void talk_finish(struct talk *t)
{
    if (t->kind == BODY_FORM)
        form_finish(t);
    else
        body_finish(t);
    if (t->answer.code == ANSWER_NONE)
        key_set(t);
    if (t->answer.code == ANSWER_NONE)
        desk_shrink(t->door->desk, t->request);
}
