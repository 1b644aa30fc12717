/* letter.h - records as a mail.
 *
 * A mail lists the gravest records first, those that are high in any case, and counts
 * those that find no room in it. Its Message-ID is made of the ids of all of them, so
 * that the same mail sent again is known as the same, and one that tells of more is
 * another one.
 *
 * Not here: escaping and folding (mime.h), who gets it (post.h). */
#ifndef OUT_MAIL_LETTER_H
#define OUT_MAIL_LETTER_H

#include "config.h"

#include "text/fill.h"

enum { SUBJECT_MOST = 240, BODY_MOST = 1500, THREAD_MOST = 40, RANKS = 5 };

/* A record, as far as a mail needs it. */
struct item {
    struct aff_id id;
    uint8_t rank; /* of its severity: 0 the gravest, 4 none of ours */
    bool is_resent;
    uint16_t subject_size, body_size;
    char subject[SUBJECT_MOST], body[BODY_MOST];
    char thread[THREAD_MOST]; /* the alert's id, "": none */
};

/* The texts of a configuration, read. */
struct forms {
    struct fill subject, body;
};

/* [data] Fills an item from a row; `work` is scratch. False: no memory. */
bool item_fill(struct item *ret, const struct forms *forms, const struct fill_row *row, struct text *work);

struct letter {
    const struct config *config;
    struct item *items; /* put in order of gravity */
    uint32_t count;
    int64_t utc_ns;
    bool has_time; /* false: the clock is worth nothing, the server sets the date */
};

/* [any] Writes all of the mail; how many records have a line in it. t->failed: no memory. */
uint32_t letter_write(struct text *t, struct letter *letter);

#endif
