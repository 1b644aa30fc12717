/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_route.c - any path, template and body. What a path gives is text of a name; rows are
 * lines of objects, and splitting them again gives the same; files of a form lie behind each
 * other within it. The first byte chooses. */
#include "route.h"
#include "split.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *no_header(void *self, const char *name)
{
    (void)name;
    return self;
}

static void paths_try(char *text)
{
    char *url = strchr(text, '\n'), *template = url ? strchr(url + 1, '\n') : NULL, name[ROUTE_NAME_ROOM];
    struct route_named named = { .values = { "" } }; /* of this input alone: what did not fit may be no text */
    struct route_source from = { text, &named, "client", "file", no_header, NULL };
    int i;

    if (!template)
        return;
    *url++ = *template++ = '\0';
    for (i = 0; i < ROUTE_NAMED_MOST; i++)
        named.values[i][0] = '\0'; /* what the last input gave, or what was bad in it */
    if (route_path_problem(text) || route_try(text, url, &named) != ROUTE_FITS || route_template_problem(template, text, true))
        return;
    for (i = 0; i < ROUTE_NAMED_MOST; i++)
        if (*named.values[i] && !route_text_ok(named.values[i]))
            abort();
    if (route_write(name, template, &from) && !route_text_ok(name))
        abort();
}

static void rows_try(const uint8_t *data, size_t size, bool lines)
{
    static struct json *json;
    struct answer answer;
    size_t used = 0, again = 0;
    char *text = malloc(size + split_padding() + 1), *same;

    json = json ? json : split_open(1 << 16);
    if (!json || !text || size > 1 << 16)
        abort();
    memset(text, '[', size + split_padding() + 1); /* of an earlier body */
    memcpy(text, data, size);
    if (split_text(json, text, size, lines, 4096, &used, &answer)) {
        same = malloc(used + split_padding());
        if (!same || used > size + 1)
            abort();
        memcpy(same, text, used);
        if (!split_text(json, same, used, true, 4096, &again, &answer) || again != used || memcmp(same, text, used) != 0)
            abort();
        free(same);
    }
    free(text);
}

/* The first line is the header Content-Type, the rest the body, ended by nothing. */
static void form_try(const uint8_t *data, size_t size)
{
    const uint8_t *newline = memchr(data, '\n', size);
    size_t head = newline ? (size_t)(newline - data) : size, at = 0;
    char *type = malloc(head + 1), *body = malloc(size - head + (size == head));
    struct split_form form;
    struct split_file file = { .name = NULL };

    if (!type || !body)
        abort();
    memcpy(type, data, head);
    type[head] = '\0';
    if (newline && split_form_open(&form, type)) {
        form.text = body;
        form.size = size - head - 1;
        memcpy(body, newline + 1, form.size);
        while (split_form_next(&form, &file) == ANSWER_NONE && file.name) {
            if (!*file.name || file.at < at || file.at > form.size || file.size > form.size - file.at ||
                file.name + strlen(file.name) >= body + file.at)
                abort();
            at = file.at + file.size;
        }
    }
    free(type);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size < 1 || size > 1 << 16)
        return 0;
    if (data[0] % 4 == 3) {
        form_try(data + 1, size - 1);
        return 0;
    }
    if (data[0] % 4 > 0) {
        rows_try(data + 1, size - 1, data[0] % 4 == 2);
        return 0;
    }
    text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    paths_try(text);
    free(text);
    return 0;
}
