/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_value.c - any text under the rules that read it, and as the words of a
 * schema: no crash, and what comes out is of the announced form and size. */
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "dates.h"
#include "value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct generalise_config hows[] = {
    { "a", 5, 90, 0, 0 }, { "b", 1000000, 0, 0, 0 }, { "c", 0, 0, 3, 0 },
    { "d", 0, 0, 0, FLOOR_DAY }, { "e", 0, 0, 0, FLOOR_YEAR },
};

static void rule_run(const struct rule *rule, const char *text, size_t size, int64_t days)
{
    static const struct config config = { .times = TIMES_SHIFT };
    struct means means = { &config, NULL, -days * DAY_NS };
    struct value value = { .type = AFF_TEXT, .text = { text, size } };
    char scratch[VALUE_CHARS];

    if (!value_change(&value, &means, rule, 0, scratch))
        return;
    if (value.type != AFF_TEXT || value.text.size > value_room(rule, size))
        abort();
    if (rule->action == ACTION_SHIFT && (value.text.size != size || memcmp(value.text.bytes, text, 10) == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule shift = { .name = "s", .action = ACTION_SHIFT };
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    rule_run(&shift, text, size, 1 + (int64_t)(size % 3650));
    for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
        struct rule rule = { .name = hows[i].key, .how = &hows[i], .action = ACTION_GENERALISE };

        rule_run(&rule, text, size, 1);
    }
    if (unit_clean(text) && strlen(text) > 32)
        abort();
    if (code_clean(text) && strlen(text) > 9)
        abort();
    (void)channel_clean(text);
    free(text);
    return 0;
}
