/* copy_options.c - the option table of a plugin, with the tables nested in it.
 *
 * Checked here is all that would make the host write outside the config struct
 * or show nonsense: type, place, choices, range, nesting, names.
 *
 * Not here: whether presets are good TOML (config/ knows). */
#include <string.h>

#include "load/copy_inside.h"

/* What stands at an option's offset, by type; see section 4 of the header. */
static const struct {
    uint32_t size;
    uint32_t align;
} members[] = {
    [AFF_TYPE_INT] = { sizeof(int64_t), _Alignof(int64_t) },
    [AFF_TYPE_REAL] = { sizeof(double), _Alignof(double) },
    [AFF_TYPE_BOOL] = { sizeof(int32_t), _Alignof(int32_t) },
    [AFF_TYPE_TEXT] = { sizeof(char *), _Alignof(char *) },
    [AFF_TYPE_ENUM] = { sizeof(int32_t), _Alignof(int32_t) },
    [AFF_TYPE_DURATION] = { sizeof(int64_t), _Alignof(int64_t) },
    [AFF_TYPE_BYTES] = { sizeof(int64_t), _Alignof(int64_t) },
    [AFF_TYPE_FREQUENCY] = { sizeof(double), _Alignof(double) },
    [AFF_TYPE_PATH] = { sizeof(char *), _Alignof(char *) },
    [AFF_TYPE_SECRET] = { sizeof(char *), _Alignof(char *) },
    [AFF_TYPE_TABLE] = { sizeof(void *), _Alignof(void *) },
    [AFF_TYPE_LIST] = { sizeof(struct aff_list), _Alignof(struct aff_list) },
    [AFF_TYPE_MAP] = { sizeof(struct aff_list), _Alignof(struct aff_list) },
};

/* One table of options: the plugin's own, or one nested in another. */
struct level {
    const char *prefix;  /* "band." */
    uint32_t bytes;      /* of the struct that it fills */
    uint32_t first;      /* bytes at its beginning that are not its own */
    uint32_t depth;
    bool takes_scalar;   /* may be one option with the name "" */
};

static const struct row_rule option_rule = {
    "options", sizeof(struct aff_option), offsetof(struct aff_option, choices), OPTIONS_MAX
};

static bool is_nest(uint16_t type)
{
    return type == AFF_TYPE_TABLE || type == AFF_TYPE_LIST || type == AFF_TYPE_MAP;
}

static bool place_check(struct copier *c, const struct aff_option *option, const struct level *level)
{
    uint32_t size;

    if (option->type < AFF_TYPE_INT || option->type > AFF_TYPE_MAP)
        return copier_refuse(c, "type %u is not known", (unsigned)option->type);
    size = members[option->type].size;
    if (option->offset < level->first || option->offset > level->bytes ||
        size > level->bytes - option->offset)
        return copier_refuse(c, "%u bytes at offset %u do not lie inside its struct of %u bytes",
                             size, option->offset, level->bytes);
    if (option->offset % members[option->type].align)
        return copier_refuse(c, "offset %u is not aligned for its type", option->offset);
    return true;
}

/* Two options in one place would overwrite each other. */
static bool others_check(struct copier *c, const struct aff_option *options, uint32_t row)
{
    const struct aff_option *option = &options[row];

    for (uint32_t i = 0; i < row; i++) {
        if (!strcmp(options[i].name, option->name))
            return copier_refuse(c, "the name is there twice");
        if (options[i].offset < option->offset + members[option->type].size &&
            option->offset < options[i].offset + members[options[i].type].size)
            return copier_refuse(c, "it lies on the same bytes as option %s", options[i].name);
    }
    return true;
}

static bool choices_copy(struct copier *c, struct aff_option *option)
{
    const char *words[CHOICES_MAX + 1];
    const char **copy;
    uint32_t count = 0;

    for (;;) {
        if (count > CHOICES_MAX)
            return copier_refuse(c, "more than %d choices, or no NULL behind them", CHOICES_MAX);
        if (!option->choices ||
            !peek_bytes(&c->peek, option->choices + count, &words[count], sizeof words[0]))
            return copier_refuse(c, "its choices cannot be read");
        if (!words[count])
            break;
        if (!string_copy(c, &words[count], "a choice", STRING_WORD))
            return false;
        for (uint32_t i = 0; i < count; i++) {
            if (!strcmp(words[i], words[count]))
                return copier_refuse(c, "the choice %s is there twice", words[i]);
        }
        count++;
    }
    if (!count)
        return copier_refuse(c, "it has no choices");
    copy = arena_take_array(c->arena, count + 1, sizeof *copy);
    if (!copy)
        return false;
    memcpy(copy, words, count * sizeof *copy);
    option->choices = copy;
    return true;
}

static bool level_copy(struct copier *c, const struct aff_table *table, const struct level *level,
                       const struct aff_option **ret_options);

static bool nested_copy(struct copier *c, struct aff_option *option, const struct level *level, uint32_t stride)
{
    struct aff_table table = { option->nested, option->nested_count, stride };
    struct level inner = {
        .bytes = option->nested_size,
        .first = option->type == AFF_TYPE_MAP ? (uint32_t)sizeof(char *) : 0,
        .depth = level->depth + 1,
        .takes_scalar = option->type != AFF_TYPE_TABLE,
    };

    if (!option->nested_count)
        return copier_refuse(c, "its nested table is empty");
    if (inner.bytes > CONFIG_BYTES_MAX)
        return copier_refuse(c, "its nested struct has %u bytes; %d are the limit", inner.bytes, CONFIG_BYTES_MAX);
    if (inner.depth > NESTING_MAX)
        return copier_refuse(c, "tables are nested more than %d deep, or lie inside themselves", NESTING_MAX);
    inner.prefix = arena_print(c->arena, "%s%s%s.", level->prefix, option->name,
                               option->type == AFF_TYPE_LIST ? "[]" :
                               option->type == AFF_TYPE_MAP ? ".*" : "");
    return inner.prefix && level_copy(c, &table, &inner, &option->nested);
}

/* The option "" stands for the items of a list or map of scalars. */
static bool item_check(struct copier *c, const struct aff_option *option, const struct level *level, uint32_t count)
{
    if (option->name[0])
        return true;
    if (!level->takes_scalar || count != 1 || is_nest(option->type))
        return copier_refuse(c, "only the single scalar of a list or map has no name");
    if (!level->first && option->offset != 0)
        return copier_refuse(c, "the item of a list of scalars lies at offset 0");
    return true;
}

/* The keys of a node that belong to the host. */
static bool is_taken(const char *name, const struct level *level)
{
    static const char *const keys[] = { "plugin", "from", "edge", "run" };

    for (size_t i = 0; level->depth == 0 && i < sizeof keys / sizeof keys[0]; i++) {
        if (!strcmp(name, keys[i]))
            return true;
    }
    return false;
}

static bool details_copy(struct copier *c, struct aff_option *option, const struct level *level, uint32_t stride)
{
    if (!string_copy(c, &option->doc, "its sentence", STRING_SENTENCE) ||
        !string_copy(c, &option->unit, "its unit", STRING_MAYBE) ||
        !string_copy(c, &option->preset, "its preset", STRING_MAYBE))
        return false;
    if (option->flags & ~(AFF_OPT_REQUIRED | AFF_OPT_INPUT))
        return copier_refuse(c, "flags 0x%x are not known", (unsigned)option->flags);
    if ((option->flags & AFF_OPT_REQUIRED) && option->preset)
        return copier_refuse(c, "it is required and has a preset; one of them is too much");
    if (option->type == AFF_TYPE_SECRET && option->preset)
        return copier_refuse(c, "a secret has no preset");
    if (option->min != option->min || option->max != option->max)
        return copier_refuse(c, "its range is not a number");
    if (option->type == AFF_TYPE_ENUM)
        return choices_copy(c, option);
    option->choices = NULL;
    if (is_nest(option->type))
        return nested_copy(c, option, level, stride);
    option->nested = NULL;
    option->nested_count = option->nested_size = 0;
    return true;
}

static bool level_copy(struct copier *c, const struct aff_table *table, const struct level *level,
                       const struct aff_option **ret_options)
{
    struct aff_option *options;
    void *rows;

    if (!rows_copy(c, table, &option_rule, &rows))
        return false;
    if (table->count > c->options_left)
        return copier_refuse(c, "more than %d options altogether", OPTIONS_MAX);
    c->options_left -= table->count;
    options = rows;
    for (uint32_t i = 0; i < table->count; i++) {
        copier_at(c, "option %s#%u", level->prefix, i);
        if (!string_copy(c, &options[i].name, "its name", level->takes_scalar ? STRING_ITEM : STRING_NAME))
            return false;
        copier_at(c, "option %s%s", level->prefix, options[i].name);
        if (is_taken(options[i].name, level))
            return copier_refuse(c, "this name belongs to the host");
        if (!item_check(c, &options[i], level, table->count) || !place_check(c, &options[i], level) ||
            !others_check(c, options, i) || !details_copy(c, &options[i], level, table->stride))
            return false;
    }
    *ret_options = options;
    return true;
}

bool options_copy(struct copier *c, const struct aff_table *table, uint32_t bytes,
                  const struct aff_option **ret_options)
{
    struct level top = { .prefix = "", .bytes = bytes };

    return level_copy(c, table, &top, ret_options);
}
