/* table.c - see table.h. */
#include "show/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool table_open(struct table *t, uint32_t columns)
{
    *t = (struct table){ .columns = columns };
    t->width = calloc(columns, sizeof *t->width);
    t->right = calloc(columns, sizeof *t->right);
    if (t->width && t->right)
        return true;
    table_close(t);
    return false;
}

void table_close(struct table *t)
{
    free(t->width);
    free(t->right);
    text_free(&t->cells);
    *t = (struct table){ 0 };
}

/* Characters, not bytes: those that begin one. */
static uint32_t width_of(const char *text, size_t length)
{
    uint32_t n = 0;

    for (size_t i = 0; i < length; i++)
        n += ((unsigned char)text[i] & 0xc0u) != 0x80u;
    return n;
}

char *cell_format(char *small, size_t room, const char *format, va_list args)
{
    char *cell = small;
    va_list again;
    int length;

    va_copy(again, args);
    length = vsnprintf(small, room, format, args);
    if (length < 0 || ((size_t)length >= room && vasprintf(&cell, format, again) < 0))
        cell = NULL;
    va_end(again);
    return cell;
}

void table_cell(struct table *t, const char *format, ...)
{
    char small[256];
    char *cell;
    va_list args;
    size_t length;

    va_start(args, format);
    cell = cell_format(small, sizeof small, format, args);
    va_end(args);
    if (!cell) {
        t->cells.failed = true;
        return;
    }
    length = strlen(cell);
    if (t->at == 0)
        t->rows++;
    if (width_of(cell, length) > t->width[t->at])
        t->width[t->at] = width_of(cell, length);
    text_add_bytes(&t->cells, cell, length + 1u);
    t->at = (t->at + 1u) % t->columns;
    if (cell != small)
        free(cell);
}

void table_number(struct table *t, uint64_t number)
{
    t->right[t->at] = true;
    table_cell(t, "%" PRIu64, number);
}

/* Bytes of the control character that begins here, 0 when none does: C0, DEL,
 * and C1, which UTF-8 writes as 0xc2 0x80 to 0xc2 0x9f. */
static size_t control_at(const char *bytes, size_t left)
{
    unsigned char c = (unsigned char)bytes[0], next = left > 1 ? (unsigned char)bytes[1] : 0;

    if (c == 0xc2 && next >= 0x80 && next < 0xa0)
        return 2;
    return c < 0x20 || c == 0x7f;
}

void print_plain(FILE *out, const char *bytes, size_t length)
{
    size_t from = 0;

    for (size_t i = 0; i < length; i++) {
        size_t controls = control_at(bytes + i, length - i);

        if (controls == 0)
            continue;
        fwrite(bytes + from, 1, i - from, out);
        fputc('?', out);
        i += controls - 1;
        from = i + 1;
    }
    fwrite(bytes + from, 1, length - from, out);
}

/* Blanks are held back until something follows them: no line ends in blanks. */
static void print_cell(const struct table *t, uint32_t column, const char *cell, int *blanks, FILE *out)
{
    size_t length = strlen(cell);
    int pad = (int)(t->width[column] - width_of(cell, length));

    if (column > 0)
        *blanks += 2;
    if (t->right[column])
        *blanks += pad;
    if (length > 0) {
        fprintf(out, "%*s", *blanks, "");
        *blanks = 0;
        print_plain(out, cell, length);
    }
    if (!t->right[column])
        *blanks += pad;
}

bool table_print(struct table *t, FILE *out)
{
    const char *cell = t->cells.data;
    bool whole = !t->cells.failed;

    while (t->at != 0 && whole)
        table_cell(t, "%s", "");
    cell = t->cells.data;
    for (uint64_t row = 0; whole && row < t->rows; row++) {
        int blanks = 0;

        for (uint32_t column = 0; column < t->columns; column++) {
            print_cell(t, column, cell, &blanks, out);
            cell += strlen(cell) + 1;
        }
        fputc('\n', out);
    }
    text_free(&t->cells);
    t->rows = 0;
    t->at = 0;
    return whole;
}
