/* fuzz_toml.c - any bytes at all as a TOML file.
 *
 * Either there is a document whose children stand in the order of their
 * places, or there is exactly one message; never a crash or a leak. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void order_check(const struct value *parent)
{
    const struct value *before = NULL;
    size_t count = 0;

    for (const struct value *v = parent->first; v; before = v, v = v->next) {
        count++;
        if (before && parent->kind == VALUE_TABLE &&
            (v->key_place.line < before->key_place.line ||
             (v->key_place.line == before->key_place.line &&
              v->key_place.column < before->key_place.column)))
            abort();
        order_check(v);
    }
    if (count != parent->count || parent->last != before)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct report *report = report_new();

    if (arena && report) {
        const struct value *document =
            toml_parse(arena, report, "fuzz.toml", (const char *)data, size);

        if (document)
            order_check(document);
        if (report_errors(report) != (document ? 0 : 1))
            abort();
    }
    report_free(&report);
    arena_free(&arena);
    return 0;
}
