/* text.c - strings that grow, words that are nearly right, a hash for names.
 *
 * Not here: amounts with a unit (units.c), messages with a place (report.c). */
#include "util/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define WORD_MAX 64

/* Doubles, so that a text of n bytes costs O(n) however it is built. The old
 * buffer is wiped and freed by hand: realloc would leave a copy behind. */
static bool text_reserve(struct text *text, size_t more)
{
    size_t need, room;
    char *data;

    if (text->failed || more > SIZE_MAX / 4 - text->length) {
        text->failed = true;
        return false;
    }
    need = text->length + more + 1;
    if (need <= text->room)
        return true;
    room = text->room ? text->room : 64;
    while (room < need)
        room *= 2;
    data = malloc(room);
    if (!data) {
        text->failed = true;
        return false;
    }
    if (text->data) {
        memcpy(data, text->data, text->length);
        explicit_bzero(text->data, text->room);
        free(text->data);
    }
    text->data = data;
    text->room = room;
    return true;
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    if (!text_reserve(text, length))
        return;
    if (length)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_print(struct text *text, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !text_reserve(text, (size_t)length)) {
        text->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
    va_end(args);
    text->length += (size_t)length;
}

char *text_take(struct text *text)
{
    char *data;

    text_add_bytes(text, "", 0);
    data = text->failed ? NULL : text->data;
    if (!data)
        text_free(text);
    *text = (struct text){ .failed = data == NULL };
    return data;
}

void text_free(struct text *text)
{
    if (text->data)
        explicit_bzero(text->data, text->room);
    free(text->data);
    *text = (struct text){ 0 };
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

static int lower(char c)
{
    return tolower((unsigned char)c);
}

/* One row of the table: `row` from `above`, and `above2` for swaps. */
static void distance_row(const char *one, const char *other, size_t i,
                         unsigned row[], const unsigned above[], const unsigned above2[])
{
    row[0] = (unsigned)i;
    for (size_t j = 1; other[j - 1]; j++) {
        unsigned same = lower(one[i - 1]) == lower(other[j - 1]) ? 0 : 1;

        row[j] = min3(row[j - 1] + 1, above[j] + 1, above[j - 1] + same);
        if (i > 1 && j > 1 && lower(one[i - 1]) == lower(other[j - 2]) &&
            lower(one[i - 2]) == lower(other[j - 1]) && above2[j - 2] + 1 < row[j])
            row[j] = above2[j - 2] + 1;
    }
}

unsigned text_distance(const char *one, const char *other)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t one_length = strlen(one), other_length = strlen(other);

    if (one_length > WORD_MAX || other_length > WORD_MAX)
        return (unsigned)(one_length > other_length ? one_length : other_length);
    for (size_t j = 0; j <= other_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= one_length; i++)
        distance_row(one, other, i, rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
    return rows[one_length % 3][other_length];
}

void text_offer(struct text_guess *guess, const char *candidate)
{
    size_t length = strlen(guess->word);
    unsigned limit = length < 4 ? 1 : length < 9 ? 2 : 3;
    unsigned distance = text_distance(guess->word, candidate);

    if (distance > limit || (guess->best && distance >= guess->distance))
        return;
    guess->best = candidate;
    guess->distance = distance;
}

uint64_t text_hash(const void *bytes, size_t length)
{
    return XXH3_64bits(bytes, length);
}
