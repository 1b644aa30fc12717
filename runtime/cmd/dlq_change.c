/* dlq_change.c - see dlq_change.h. */
#include "cmd/dlq_change.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cmd/verbs.h"
#include "flow/wire.h"

static void not_changed(struct dlq_change *c, uint64_t number, const char *why)
{
    text_print(c->answer, "letter %" PRIu64 ": %s\n", number, why);
    c->code = EXIT_WRONG;
}

/* NULL: it can be tried again. */
static const char *why_not(const struct dlq_change *c, const struct wire_letter *letter)
{
    if (letter->is_part)
        return "it is a part that was set aside out of a larger input, and no record of its own: it cannot be tried "
               "again; see dlq show, then dlq drop";
    if (!letter->port)
        return "it was made at its node and came in by no port: it cannot be tried again; see dlq show, then dlq drop";
    if (c->has_node && !c->has_node(c->arg, letter->node))
        return "its node is no longer in the pipeline; expected one of the same name; then try again";
    return NULL;
}

static enum store_status retry_bytes(struct dlq_change *c, struct store *store, uint64_t number, const void *bytes,
                                     size_t size, bool *ret_done)
{
    enum store_status status = STORE_OK;
    struct wire_letter letter;
    struct wire wire = { 0 };
    const char *why;

    *ret_done = false;
    if (!wire_letter_read(bytes, size, &letter)) {
        not_changed(c, number, "it cannot be read; see store check");
        return STORE_OK;
    }
    why = why_not(c, &letter);
    if (why) {
        not_changed(c, number, why);
        return STORE_OK;
    }
    letter.tries++;
    wire_letter(&wire, NULL, &letter, NULL);
    if (wire.failed)
        not_changed(c, number, "there is no memory");
    else
        status = store_letter_retry(store, number, letter.node, wire.bytes, wire.size);
    *ret_done = !wire.failed && status == STORE_OK;
    wire_free(&wire);
    return status;
}

static enum store_status change_one(struct dlq_change *c, struct store *store, uint64_t number, bool *ret_done)
{
    enum store_status status;
    void *bytes = NULL;
    size_t size = 0;

    if (!c->retry) {
        status = store_letter_drop(store, number);
        *ret_done = status == STORE_OK;
        return status;
    }
    *ret_done = false;
    status = store_letter(store, number, &bytes, &size);
    if (status == STORE_OK)
        status = retry_bytes(c, store, number, bytes, size, ret_done);
    free(bytes);
    return status;
}

enum store_status dlq_change(void *change, struct store *store)
{
    struct dlq_change *c = change;
    enum store_status status = STORE_OK;
    uint32_t done = 0;

    c->code = EXIT_DONE;
    for (uint32_t i = 0; i < c->count && (status == STORE_OK || status == STORE_NONE); i++) {
        bool is_done;

        status = change_one(c, store, c->letters[i], &is_done);
        done += is_done;
        if (status == STORE_NONE)
            not_changed(c, c->letters[i], "there is no such letter");
    }
    if (status != STORE_OK && status != STORE_NONE) {
        text_add(c->answer, status == STORE_FULL ? "the disk is full: the others are as they were; try again when "
                                                   "there is space\n"
                                                 : "the store cannot be written: the others are as they were; see "
                                                   "store check\n");
        c->code = EXIT_ERROR;
    }
    text_print(c->answer, "%" PRIu32 " of %" PRIu32 " %s\n", done, c->count,
               c->retry ? "tried again" : "dropped");
    return status == STORE_NONE ? STORE_OK : status;
}
