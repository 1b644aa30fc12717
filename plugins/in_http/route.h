/* SPDX-License-Identifier: Apache-2.0
 *
 * route.h - which path a request has, and what its records are named by that.
 *
 *     path = "/bed/{subject}/{stream}"   PUT /bed/7%2Fb/ecg  ->  subject "7/b", stream "ecg"
 *
 * A segment is compared after its %XX were read; what a path gives is text of a name and never
 * more than that. Not here: the request (talk.c). */
#ifndef IN_HTTP_ROUTE_H
#define IN_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

enum { ROUTE_NAME_ROOM = 256, ROUTE_NAMED_MOST = 8, ROUTE_FILES_MOST = 16 };
/* Names of all files of a request, each subject and stream, with their zeros. */
enum { ROUTE_NAMES_ROOM = ROUTE_FILES_MOST * 2 * ROUTE_NAME_ROOM };
#define TOKEN_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

enum route_match { ROUTE_OTHER, ROUTE_FITS, ROUTE_BAD }; /* bad: a segment is no text */

/* What the segments in {} are in a path, in their order. */
struct route_named {
    char values[ROUTE_NAMED_MOST][ROUTE_NAME_ROOM];
};

/* Where a template's text comes from. `header` gives a header's value or NULL. */
struct route_source {
    const char *path; /* the route's */
    const struct route_named *named;
    const char *client, *file; /* NULL: none */
    const char *(*header)(void *self, const char *name);
    void *self;
};

/* [any] NULL, or what is wrong, what was expected, what to do. */
const char *route_path_problem(const char *path);
const char *route_template_problem(const char *template, const char *path, bool with_files);
/* [any] Whether it is UTF-8 without control characters, not empty. */
bool route_text_ok(const char *text);
/* [any] Whether it is a token of RFC 9110, section 5.6.2. */
bool route_header_ok(const char *name, size_t size);
/* [any] Takes a segment's %XX out; false: it is empty, too long, or no text. */
bool route_decode(char to[ROUTE_NAME_ROOM], const char *from, size_t size);
/* [any] `url` without its query. */
enum route_match route_try(const char *path, const char *url, struct route_named *ret_named);
/* [any] Writes a name; false: it is empty, too long, or no text. */
bool route_write(char to[ROUTE_NAME_ROOM], const char *template, const struct route_source *from);

#endif
