/* SPDX-License-Identifier: Apache-2.0
 *
 * talk_body.c - the body of a request, as it comes and when it is whole: size, forms, JSON,
 * and by what it is known again. Digests are SHA-256, cut: who sends could choose the text. */
#include "door.h"

#include <gnutls/crypto.h>
#include <string.h>

enum { KEY_MOST = 255, DIGEST = 32 };

/* ---- as it comes ---- */

void talk_body(struct talk *t, const char *data, size_t size)
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

/* ---- when it is whole ---- */

static void file_add(struct talk *t, const struct split_file *file)
{
    struct request *r = t->request;
    struct part *p = &r->parts[r->part_count];

    if (r->part_count == ROUTE_FILES_MOST) {
        t->answer.limit = ROUTE_FILES_MOST;
        talk_refuse(t, ANSWER_MANY_FILES);
    } else if (!talk_names(t, p, file->name)) {
        talk_refuse(t, ANSWER_NAME);
    } else {
        p->at = t->body_at + file->at;
        p->size = file->size;
        r->part_count++;
    }
}

static void form_finish(struct talk *t)
{
    struct split_file file = { .name = NULL };

    t->form.text = t->request->memory + t->body_at;
    t->form.size = t->request->used - t->body_at;
    do {
        talk_refuse(t, split_form_next(&t->form, &file));
        if (t->answer.code == ANSWER_NONE && file.name)
            file_add(t, &file);
    } while (t->answer.code == ANSWER_NONE && file.name);
    if (t->request->part_count == 0)
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

/* Of the client and `key`; of the client, the content and a time of its own where there is none:
 * two measurements may be equal but for that. */
static bool digest(const struct talk *t, const char *key, size_t key_size, uint64_t ret[DIGEST / 8])
{
    const struct request *r = t->request;
    gnutls_hash_hd_t hash;
    bool fine;

    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) != 0)
        return false;
    fine = digest_add(hash, t->client, strlen(t->client)) && digest_add(hash, key ? "key" : "content", key ? 3 : 7);
    fine = fine && (key ? digest_add(hash, key, key_size) : content_add(hash, r));
    if (fine && !key && !talk_header(t, "Idempotency-Key") && r->has_time)
        fine = digest_add(hash, &r->event_ns, sizeof r->event_ns);
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
