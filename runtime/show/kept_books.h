/* kept_books.h - the ledger as it was stored with the last commit, for people and
 * for programs.
 *
 * Rows as in books.h, with what only a pipeline with a store has: restored, retried,
 * expired, queued, and what live sources may have lost (unsafe).
 *
 * Not here: the accounts themselves (flow/accounts.h), the ledger of a run that has
 * no store (books.h). */
#ifndef AFFERENT_SHOW_KEPT_BOOKS_H
#define AFFERENT_SHOW_KEPT_BOOKS_H

#include <stdbool.h>
#include <stdio.h>

#include "flow/accounts.h"
#include "flow/flow.h"
#include "util/text.h"

struct kept_books {
    const struct accounts *accounts;
    bool runs; /* a run holds the store now */
    enum flow_end end; /* of the last one, where it did not end in order */
};

/* What the last line says. */
enum kept_verdict {
    KEPT_BALANCED,
    KEPT_UNBALANCED,
    KEPT_UNSAFE /* sums agree, and live sources may have lost records by deaths */
};

/* [any] What live sources may have lost: counted by later runs, and at most so much
 * more where the last run died. */
uint64_t kept_books_unsafe(const struct kept_books *books, uint32_t node);
enum kept_verdict kept_books_verdict(const struct kept_books *books);

/* [control] The table with reasons and the verdict; one JSON document. */
void kept_books_print(const struct kept_books *books, FILE *out);
void kept_books_json(const struct kept_books *books, FILE *out);
/* [any] One of both, appended: for the door (control.h). */
void kept_books_text(const struct kept_books *books, bool json, struct text *answer);

#endif
