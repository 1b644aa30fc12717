/* store.h - requests to an S3 store: objects, in one piece or in parts, and what unfinished
 * uploads are taken away.
 *
 * A body of at most part_bytes is one PUT. A larger one is begun, its parts are put one
 * after the other, and it is completed; what fails on the way goes on with the part that
 * failed. An upload that is given up is taken away (AbortMultipartUpload); those that a
 * death left behind are looked for at the start and each few hours (sweep.c).
 *
 * Each request is signed with the hash of its body, so the store keeps nothing that was
 * changed on the way.
 *
 * Not here: keys (key.h), signatures (sign.h), when something is sent (http/pump.h). */
#ifndef OUT_S3_STORE_H
#define OUT_S3_STORE_H

#include <stdatomic.h>

#include "answer.h"
#include "config.h"
#include "http/pump.h"
#include "key.h"
#include "sign.h"

/* An upload that is to be taken away. */
struct left {
    char key[KEY_MOST + 1];
    char id[UPLOAD_ID_MOST + 1];
};
enum { LEFT_MOST = 64 };

enum sweep_state { SWEEP_IDLE, SWEEP_LISTS, SWEEP_ABORTS };

/* One request of the sweep's own at a time. */
struct sweep {
    enum sweep_state state;
    struct transfer transfer;
    struct curl_slist *headers;
    struct left *left; /* LEFT_MOST */
    uint32_t left_count, pages;
    uint32_t aborting; /* which of them is */
    uint32_t failures; /* answers to come again, one after another */
    char key_marker[KEY_MOST + 1], id_marker[UPLOAD_ID_MOST + 1];
    int64_t next_ns;       /* of the next list, by the boot clock; 0: at once */
    int64_t not_before_ns; /* of any request, after one that failed */
    bool is_first_done, is_more;
};

struct store {
    const struct config *config;
    struct place place;
    struct target target;
    struct sign_who who;
    struct sweep sweep;
    atomic_uint parts, aborted; /* for the lane to count */
    atomic_uint cannot_sweep;   /* 1: to be said */
};

extern const struct pump_kind store_kind;

/* [control] False: no memory; close all the same. */
bool store_open(struct store *s, const struct config *config);
void store_close(struct store *s);

/* A request's own words, signed. */
struct ask {
    enum http_method method;
    const char *key;       /* NULL: the bucket itself */
    size_t key_size;
    const char *query;     /* canonical */
    const struct text *body;
    bool is_object;        /* with what is said of an object: its type, class, encryption */
    bool is_xml;           /* the body is a document */
};

/* [its thread] Makes a transfer ready. *headers: its own, freed and made anew. NULL, or why not. */
const char *store_load(const struct store *s, struct transfer *t, struct curl_slist **headers, const struct ask *ask);

/* [its thread] An upload is given up. */
void sweep_leave(struct sweep *w, const char *key, size_t key_size, const char *id);
/* Of struct pump_kind. */
bool sweep_prepare(void *store, bool wanted, struct transfer **ret_send, const char **ret_why);
const char *sweep_prepared(void *store, CURLcode code);

#endif
