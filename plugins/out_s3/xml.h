/* xml.h - the answers of an S3 store: small documents of elements and text.
 *
 * Strict, and of XML 1.0 only what such answers have: a declaration, elements, text, the
 * five named entities, characters by number, comments. A document type is refused, so
 * that no entity can stand for others. Attributes are checked and not looked into.
 *
 * It calls back for each element that has text and no elements, with the names that lead
 * to it ("Error/Code"), and at the end of each element (text NULL).
 *
 * Not here: what an answer means (answer.c, sweep.c). */
#ifndef OUT_S3_XML_H
#define OUT_S3_XML_H

#include <stdbool.h>
#include <stddef.h>

enum { XML_DEPTH = 8, XML_PATH_ROOM = 256, XML_TEXT_MOST = 4096 };

/* `path`: names joined by '/', without prefixes of namespaces. `text`: ended by a zero,
 * without one inside, borrowed; NULL: an element that has elements ends. */
typedef void xml_take(void *self, const char *path, const char *text);

/* [any] True: all of it was a document. Else what was taken so far counts for nothing. */
bool xml_read(const char *bytes, size_t size, xml_take *take, void *self);

#endif
