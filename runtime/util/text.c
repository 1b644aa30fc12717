/* text.c - strings that grow, words that are nearly right, a hash for names.
 *
 * Not here: amounts with a unit (units.c), messages with a place (report.c). */
#include "util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>


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

uint64_t text_hash(const void *bytes, size_t length)
{
    return XXH3_64bits(bytes, length);
}
