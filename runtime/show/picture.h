/* picture.h - a pipeline drawn: as text, as DOT for graphviz, as Mermaid.
 *
 * Threads are boxes; an edge between two threads is drawn stronger than one
 * that is a call.
 *
 * Not here: deciding what runs where (config/layout.c). */
#ifndef AFFERENT_SHOW_PICTURE_H
#define AFFERENT_SHOW_PICTURE_H

#include <stdbool.h>
#include <stdio.h>

#include "config/plan.h"

/* False without memory: nothing was drawn. */
bool picture_text(const struct plan *plan, FILE *out);
void picture_dot(const struct plan *plan, FILE *out);
void picture_mermaid(const struct plan *plan, FILE *out);

#endif
