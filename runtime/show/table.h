/* table.h - rows of text in columns that line up.
 *
 * Cells are collected, then printed; a table may be printed in parts, so that a
 * long answer needs no memory: columns only ever grow wider. Control characters
 * of cells are shown as "?", since data must not steer a terminal.
 *
 * Not here: what is in the cells. */
#ifndef AFFERENT_SHOW_TABLE_H
#define AFFERENT_SHOW_TABLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/text.h"

struct table {
    uint32_t columns;
    uint32_t at;     /* column of the next cell */
    uint64_t rows;   /* not printed yet; a begun one counts */
    uint32_t *width; /* in characters */
    bool *right;     /* aligned to the right: numbers */
    struct text cells;
};

/* False without memory. All columns are left-aligned at first. */
bool table_open(struct table *table, uint32_t columns);
void table_close(struct table *table);

/* The next cell; behind the last column a new row begins. */
__attribute__((format(printf, 2, 3)))
void table_cell(struct table *table, const char *format, ...);
void table_number(struct table *table, uint64_t number);

/* As vsnprintf into `small`, or where that is too small into memory that is the
 * caller's to free; NULL: there is none. */
__attribute__((format(printf, 3, 0)))
char *cell_format(char *small, size_t room, const char *format, va_list args);

/* Prints the rows and forgets them. False when memory was out: rows are missing. */
bool table_print(struct table *table, FILE *out);

/* Prints `length` bytes, control characters as "?". */
void print_plain(FILE *out, const char *bytes, size_t length);

#endif
