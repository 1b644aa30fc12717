/* value.c - a TOML document as a tree: values, their keys, where each stood.
 *
 * Not here: reading TOML (toml.cc), what the values mean (options.c, pipeline.c). */
#include "config/value.h"

#include <string.h>

struct value *value_new(struct arena *arena, enum value_kind kind, struct place place)
{
    struct value *value = arena_take(arena, sizeof *value);

    if (!value)
        return NULL;
    value->kind = kind;
    value->place = place;
    value->key_place = place;
    return value;
}

bool value_set_key(struct arena *arena, struct value *value, const char *key, size_t length,
                   struct place place)
{
    value->key = arena_copy(arena, key, length);
    value->key_length = length;
    value->key_place = place;
    return value->key != NULL;
}

bool value_set_text(struct arena *arena, struct value *value, const char *text, size_t length)
{
    value->text = arena_copy(arena, text, length);
    value->text_length = length;
    return value->text != NULL;
}

void value_append(struct value *parent, struct value *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

void value_remove(struct value *parent, struct value *child)
{
    struct value *before = NULL;

    for (struct value *v = parent->first; v; before = v, v = v->next) {
        if (v != child)
            continue;
        if (before)
            before->next = v->next;
        else
            parent->first = v->next;
        if (parent->last == v)
            parent->last = before;
        parent->count--;
        return;
    }
}

struct value *value_find(const struct value *table, const char *key)
{
    size_t length = strlen(key);

    if (!table || table->kind != VALUE_TABLE)
        return NULL;
    for (struct value *v = table->first; v; v = v->next) {
        if (v->key_length == length && !memcmp(v->key, key, length))
            return v;
    }
    return NULL;
}

const char *value_kind_name(const struct value *value)
{
    switch (value->kind) {
    case VALUE_TEXT:  return "a text";
    case VALUE_INT:   return "an integer";
    case VALUE_REAL:  return "a real number";
    case VALUE_BOOL:  return "a boolean";
    case VALUE_TIME:  return "a date or time";
    case VALUE_ARRAY: return "a list";
    case VALUE_TABLE: return "a table";
    }
    return "nothing";
}
