/* mime.h - the letters of a mail: headers that are ASCII and short, bodies likewise.
 *
 * Whatever the text, what is written has no line of its own making: bytes beyond
 * printable ASCII never stand in a header or a body as they are (RFC 5322, 2045, 2047).
 *
 * Not here: which headers there are (letter.c); dots at the beginning of a line, which
 * libcurl doubles. */
#ifndef OUT_MAIL_MIME_H
#define OUT_MAIL_MIME_H

#include "text/text.h"

/* "Name: words": as they are where they are short and plain, else as encoded words of
 * UTF-8 in base64, folded (RFC 2047). `tail` stands behind as it is, or NULL. */
void mime_header(struct text *t, const char *name, const char *words, size_t size, const char *tail);

/* Text with line breaks as quoted-printable (RFC 2045, 6.7), lines ended by CRLF. */
void mime_quoted(struct text *t, const char *bytes, size_t size);

/* "Date: Sun, 22 Nov 2026 01:02:03 +0000". */
void mime_date(struct text *t, int64_t utc_ns);

#endif
