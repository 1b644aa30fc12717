/* limit.c - see limit.h. */
#include "show/limit.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *digits_skip(const char *text)
{
    while (is_digit(*text))
        text++;
    return text;
}

/* Whether two lines differ by their numbers alone, as far as the row keeps them. */
static bool same_text(const char *kept, const char *text)
{
    const char *begin = kept;

    while (*kept && *text) {
        if (is_digit(*kept) && is_digit(*text)) {
            kept = digits_skip(kept);
            text = digits_skip(text);
        } else if (*kept++ != *text++) {
            return false;
        }
    }
    return *kept == *text || kept - begin >= LIMIT_TEXT - 1;
}

/* ---- telling ---- */

/* 1234567 as 1,234,567. */
static void count_print(char *to, size_t room, unsigned long count)
{
    char plain[24];
    int length = snprintf(plain, sizeof plain, "%lu", count);
    size_t at = 0;

    for (int i = 0; i < length && at + 2 < room; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            to[at++] = ',';
        to[at++] = plain[i];
    }
    to[at] = '\0';
}

static void row_tell(struct limit *limit, struct limit_row *row)
{
    char text[LIMIT_TEXT + 80], count[32];

    if (row->left_out > 0) {
        count_print(count, sizeof count, row->left_out);
        if (row->text[0])
            snprintf(text, sizeof text, "%s ... %s more like it in the last %d s", row->text, count, LIMIT_WINDOW_S);
        else
            snprintf(text, sizeof text, "%s more lines of many kinds were left out in the last %d s", count,
                     LIMIT_WINDOW_S);
        limit->tell(limit->arg, row->level, row->node[0] ? row->node : NULL, text);
    }
    row->said = 0;
    row->left_out = 0;
}

static void rows_tick(struct limit *limit, struct limit_row *rows, int64_t now_s)
{
    for (int i = 0; i < LIMIT_ROWS; i++)
        if (rows[i].said > 0 && now_s - LIMIT_WINDOW_S >= rows[i].began_s)
            row_tell(limit, &rows[i]);
}

void limit_tick(struct limit *limit, int64_t now_s)
{
    rows_tick(limit, limit->lines, now_s);
    rows_tick(limit, limit->nodes, now_s);
}

/* ---- counting ---- */

static bool is_row(const struct limit_row *row, int level, const char *node, const char *text)
{
    return row->said > 0 && row->level == level && strncmp(row->node, node, sizeof row->node - 1) == 0 &&
           same_text(row->text, text);
}

/* Where all rows are taken the oldest is told and gives way. */
static struct limit_row *row_find(struct limit *limit, struct limit_row *rows, const struct limit_row *wanted)
{
    struct limit_row *at = &rows[0];

    for (int i = 0; i < LIMIT_ROWS; i++) {
        if (is_row(&rows[i], wanted->level, wanted->node, wanted->text))
            return &rows[i];
        if (at->said > 0 && (rows[i].said == 0 || rows[i].began_s < at->began_s))
            at = &rows[i];
    }
    if (at->said > 0)
        row_tell(limit, at);
    *at = *wanted;
    return at;
}

static bool row_allows(struct limit_row *row, unsigned most)
{
    if (row->said < most) {
        row->said++;
        return true;
    }
    row->left_out++;
    return false;
}

bool limit_allows(struct limit *limit, int level, const char *node, const char *text, int64_t now_s)
{
    struct limit_row wanted = { .level = level, .began_s = now_s };

    limit_tick(limit, now_s);
    snprintf(wanted.node, sizeof wanted.node, "%s", node ? node : "");
    snprintf(wanted.text, sizeof wanted.text, "%s", text);
    if (!row_allows(row_find(limit, limit->lines, &wanted), LIMIT_SAME))
        return false;
    wanted.text[0] = '\0';
    return row_allows(row_find(limit, limit->nodes, &wanted), LIMIT_NODE);
}
