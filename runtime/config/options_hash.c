/* options_hash.c - tells two configurations of a node apart.
 *
 * State that a node kept belongs to its plugin, version and options. What counts is
 * what the plugin sees: values in the order of its table, defaults filled in; so a
 * file may be written in another order and mean the same. Secrets count, since
 * another key makes other records; the text that is hashed is wiped and shown to
 * nobody.
 *
 * Not here: the host's keys, and what a file that an option names contains. */
#include <inttypes.h>
#include <string.h>

#include "config/options.h"
#include "util/text.h"

static void struct_add(struct text *text, const struct aff_option *options, uint32_t count, const char *config);

/* A length in front, so that no two lists of texts look alike. */
static void string_add(struct text *text, const char *string)
{
    if (string)
        text_print(text, "%zu:%s", strlen(string), string);
    else
        text_add(text, "-");
}

static void list_add(struct text *text, const struct aff_option *option, const struct aff_list *list)
{
    text_print(text, "[%" PRIu32 "|", list->count);
    for (uint32_t i = 0; i < list->count; i++)
        struct_add(text, option->nested, option->nested_count,
                   (const char *)list->items + (size_t)i * list->stride);
    text_add(text, "]");
}

/* The order of a map's keys says nothing: the sum of its entries' hashes has none. */
static void map_add(struct text *text, const struct aff_option *option, const struct aff_list *map)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < map->count; i++) {
        const char *item = (const char *)map->items + (size_t)i * map->stride;
        struct text entry = { 0 };

        string_add(&entry, *(const char *const *)(const void *)item);
        struct_add(&entry, option->nested, option->nested_count, item);
        text->failed |= entry.failed;
        sum += entry.data ? text_hash(entry.data, entry.length) : 0;
        text_free(&entry);
    }
    text_print(text, "{%" PRIu32 "|%016" PRIx64 "}", map->count, sum);
}

static void table_add(struct text *text, const struct aff_option *option, const char *table)
{
    text_add(text, table ? "(" : "-");
    if (table)
        struct_add(text, option->nested, option->nested_count, table);
    text_add(text, table ? ")" : "");
}

static void value_add(struct text *text, const struct aff_option *option, const char *cell)
{
    const void *at = cell;

    switch (option->type) {
    case AFF_TYPE_REAL:
    case AFF_TYPE_FREQUENCY: text_print(text, "%a", *(const double *)at); break;
    case AFF_TYPE_BOOL:
    case AFF_TYPE_ENUM:      text_print(text, "%" PRId32, *(const int32_t *)at); break;
    case AFF_TYPE_TEXT:
    case AFF_TYPE_PATH:
    case AFF_TYPE_SECRET:    string_add(text, *(const char *const *)at); break;
    case AFF_TYPE_TABLE:     table_add(text, option, *(const char *const *)at); break;
    case AFF_TYPE_LIST:      list_add(text, option, at); break;
    case AFF_TYPE_MAP:       map_add(text, option, at); break;
    default:                 text_print(text, "%" PRId64, *(const int64_t *)at);
    }
}

static void struct_add(struct text *text, const struct aff_option *options, uint32_t count, const char *config)
{
    for (uint32_t i = 0; i < count; i++) {
        text_print(text, "%s=", options[i].name);
        value_add(text, &options[i], config + options[i].offset);
        text_add(text, ";");
    }
}

bool options_hash(const struct plugin *plugin, const void *config, uint64_t *ret_hash)
{
    struct text text = { 0 };
    bool ok;

    string_add(&text, plugin->about.name);
    string_add(&text, plugin->about.version);
    struct_add(&text, plugin->options, plugin->option_count, config);
    ok = !text.failed && text.data;
    if (ok)
        *ret_hash = text_hash(text.data, text.length);
    text_free(&text);
    return ok;
}
