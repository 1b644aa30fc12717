/* SPDX-License-Identifier: Apache-2.0
 *
 * json.cc - a JSON text is walked once by simdjson's on-demand reader.
 *
 * On-demand checks what it is asked for and skips the rest; a row of which a part
 * is damaged is not to be trusted, so that here each key and value is visited:
 * RFC 8259 as a whole. Numbers are handed out as they were written. After
 * warm-up nothing is allocated: the reader has room for the longest text.
 *
 * Not here: what values mean (reader.c). */
#include "json.h"
#include "grammar.h"

#include <cstdio>
#include <cstring>
#include <new>

#include <simdjson.h>

namespace od = simdjson::ondemand;
using simdjson::error_code;

namespace {

constexpr uint32_t NO_NODE = 0xffffffffu;
constexpr size_t NAME_MOST = 512;

struct token {
    const char *text;
    size_t size;
};

bool is_word(const token &t, const char *word)
{
    return t.size == std::strlen(word) && std::memcmp(t.text, word, t.size) == 0;
}

json_status status_of(error_code error)
{
    switch (error) {
    case simdjson::SUCCESS:
        return JSON_FINE;
    case simdjson::UTF8_ERROR:
        return JSON_BAD_UTF8;
    case simdjson::EMPTY:
    case simdjson::UNCLOSED_STRING:
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
    case simdjson::INDEX_OUT_OF_BOUNDS:
    case simdjson::OUT_OF_BOUNDS:
        return JSON_TRUNCATED;
    case simdjson::DEPTH_ERROR:
        return JSON_DEEP;
    default:
        return JSON_BAD;
    }
}

} // namespace

struct json {
    od::parser parser;
    const char *const *root;
    const json_node *nodes;
    size_t most; /* bytes of a text */
    uint32_t *seen; /* by node: the row in which its key was met last */
    uint8_t *room; /* strings without their escapes; the reader's own room it may lack, and does not say so */
    uint8_t *room_at;
    size_t node_count;
    uint32_t row;

    /* Of the text in hand. */
    const json_calls *calls;
    void *self;
    const char *text;
    size_t size;
    od::document document;
    json_status row_status;
    size_t row_at, row_end, after_row;
    bool in_row, has_root, is_alone;
    int depth;
    char name[NAME_MOST]; /* open: keys on the way to the value in hand */
    size_t name_size;

    json_status walk(od::value &value, uint32_t node);
    json_status object_walk(od::value &value, uint32_t node);
    json_status field_walk(od::field &field, uint32_t node, uint32_t *last);
    json_status array_walk(od::value &value, uint32_t node);
    json_status scalar_walk(od::value &value, uint32_t node);
    json_status string_take(od::value &value, const token &t, json_value *ret);
    json_status hand_out(uint32_t node, const json_value &v);
    uint32_t child_find(uint32_t node, uint32_t last, const token &key) const;
    json_status key_read(od::field &field, token *ret);
    json_status name_push(const token &key);
    bool node_enter(uint32_t node);

    json_status root_walk(od::value &value, const char *const *key);
    json_status root_object(od::value &value, const char *const *key);
    json_status root_array(od::value &value, const char *const *key);
    json_status rows_walk(od::value &value);
    json_status row_walk(od::value &value);
    json_status row_out();
    json_status alone_walk() const;
    json_status text_walk();
    const char *here();
    token token_of(od::value &value) const;
};

/* A value's text without what blanks follow it. */
token json::token_of(od::value &value) const
{
    std::string_view raw = value.raw_json_token();
    const char *end = text + size;
    size_t n = raw.size();

    if (raw.data() >= end)
        return { end, 0 };
    if (n > static_cast<size_t>(end - raw.data()))
        n = static_cast<size_t>(end - raw.data());
    while (n && json_blank(raw.data()[n - 1]))
        n--;
    return { raw.data(), n };
}

/* Behind what was read last. */
const char *json::here()
{
    const char *at = nullptr;

    if (document.current_location().get(at) || at > text + size)
        at = text + size;
    while (at > text && json_blank(at[-1]))
        at--;
    return at;
}

/* Keys mostly come in the order of the row before: the sibling behind the last
 * one found is tried first. */
uint32_t json::child_find(uint32_t node, uint32_t last, const token &key) const
{
    uint32_t i = last == NO_NODE ? 0 : nodes[last].sibling;

    if (i && nodes[i].key_size == key.size && std::memcmp(nodes[i].key, key.text, key.size) == 0)
        return i;
    for (i = nodes[node].child; i; i = nodes[i].sibling)
        if (nodes[i].key_size == key.size && std::memcmp(nodes[i].key, key.text, key.size) == 0)
            return i;
    return NO_NODE;
}

json_status json::key_read(od::field &field, token *ret)
{
    const char *from = field.key().raw(), *at = from;
    std::string_view plain;

    while (*at != '"' && *at != '\\')
        at++;
    *ret = { from, static_cast<size_t>(at - from) };
    if (*at == '"')
        return JSON_FINE;
    if (parser.unescape(field.key(), room_at).get(plain))
        return JSON_BAD;
    *ret = { plain.data(), plain.size() };
    return JSON_FINE;
}

/* Levels are joined by points. A name of no use as a column's makes a bad row. */
json_status json::name_push(const token &key)
{
    if (key.size == 0 || std::memchr(key.text, 0, key.size) || key.size + 2 > NAME_MOST - name_size)
        return JSON_BAD_KEY;
    if (name_size)
        name[name_size++] = '.';
    std::memcpy(name + name_size, key.text, key.size);
    name_size += key.size;
    return JSON_FINE;
}

/* False where the node's key was met in this row before. */
bool json::node_enter(uint32_t node)
{
    bool fresh = seen[node] != row;

    seen[node] = row;
    if (!fresh && row_status == JSON_FINE)
        row_status = JSON_DUPLICATE;
    return fresh;
}

json_status json::hand_out(uint32_t node, const json_value &v)
{
    json_status st = JSON_FINE;

    if (row_status != JSON_FINE)
        return JSON_FINE;
    if (nodes) {
        if (node != NO_NODE && nodes[node].source != JSON_NO_SOURCE)
            calls->value(self, nodes[node].source, &v);
    } else if (in_row) {
        st = calls->open_value(self, name, static_cast<uint32_t>(name_size), &v);
    }
    row_status = st;
    return JSON_FINE;
}

/* Strings without escapes stay where they are. The reader has seen that they are
 * closed, UTF-8 and without control characters; escapes are checked by use. */
json_status json::string_take(od::value &value, const token &t, json_value *ret)
{
    const char *end = t.text + t.size, *at = t.text + 1;
    od::raw_json_string raw;
    std::string_view plain;

    while (at < end && *at != '"' && *at != '\\')
        at++;
    if (at == end)
        return JSON_BAD;
    if (*at == '"') {
        *ret = { t.text + 1, static_cast<uint32_t>(at - t.text - 1), JSON_STRING };
        return at + 1 == end ? JSON_FINE : JSON_BAD;
    }
    if (value.get_raw_json_string().get(raw) || parser.unescape(raw, room_at).get(plain))
        return JSON_BAD;
    *ret = { plain.data(), static_cast<uint32_t>(plain.size()), JSON_STRING };
    return JSON_FINE;
}

json_status json::scalar_walk(od::value &value, uint32_t node)
{
    token t = token_of(value);
    json_value v = { t.text, static_cast<uint32_t>(t.size), JSON_NUMBER };
    json_status st;

    if (!t.size)
        return JSON_TRUNCATED;
    switch (*t.text) {
    case '"':
        st = string_take(value, t, &v);
        return st == JSON_FINE ? hand_out(node, v) : st;
    case 'n':
        return is_word(t, "null") ? JSON_FINE : JSON_BAD;
    case 't':
    case 'f':
        v.kind = JSON_TRUTH;
        return is_word(t, "true") || is_word(t, "false") ? hand_out(node, v) : JSON_BAD;
    default:
        return json_number_ok(t.text, t.text + t.size) ? hand_out(node, v) : JSON_BAD;
    }
}

json_status json::field_walk(od::field &field, uint32_t node, uint32_t *last)
{
    size_t name_before = name_size;
    uint32_t child = NO_NODE;
    json_status st;
    token key;

    st = key_read(field, &key);
    if (st != JSON_FINE)
        return st;
    if (nodes && node != NO_NODE)
        child = child_find(node, *last, key);
    if (child != NO_NODE) {
        *last = child;
        if (!node_enter(child))
            child = NO_NODE;
    }
    if (!nodes && in_row && row_status == JSON_FINE)
        row_status = name_push(key);
    st = walk(field.value(), child);
    name_size = name_before;
    return st;
}

json_status json::object_walk(od::value &value, uint32_t node)
{
    uint32_t last = NO_NODE;
    json_status st;
    od::object object;
    error_code error = value.get_object().get(object);

    if (error)
        return status_of(error);
    for (auto item : object) {
        od::field field;

        error = std::move(item).get(field);
        if (error)
            return status_of(error);
        st = field_walk(field, node, &last);
        if (st != JSON_FINE)
            return st;
    }
    return JSON_FINE;
}

/* An array's elements are its children by number; without columns they are not
 * handed out: the array is, as it was written. */
json_status json::array_walk(od::value &value, uint32_t node)
{
    char digits[16];
    size_t index = 0;
    od::array array;
    error_code error = value.get_array().get(array);
    bool was_in_row = in_row;
    json_status st = JSON_FINE;

    if (error)
        return status_of(error);
    in_row = in_row && nodes;
    for (auto item : array) {
        uint32_t child = NO_NODE;
        od::value element;

        error = std::move(item).get(element);
        if (error)
            return status_of(error);
        if (nodes && node != NO_NODE && nodes[node].child) {
            int n = std::snprintf(digits, sizeof digits, "%zu", index);

            child = child_find(node, NO_NODE, { digits, static_cast<size_t>(n) });
        }
        if (child != NO_NODE && !node_enter(child))
            child = NO_NODE;
        st = walk(element, child);
        if (st != JSON_FINE)
            return st;
        index++;
    }
    in_row = was_in_row;
    return JSON_FINE;
}

/* Any value, with all that is in it. */
json_status json::walk(od::value &value, uint32_t node)
{
    od::json_type type;
    error_code error = value.type().get(type);
    const char *from;
    json_status st;

    if (error)
        return status_of(error);
    if (type != od::json_type::object && type != od::json_type::array)
        return scalar_walk(value, node);
    if (++depth > JSON_DEPTH_MOST)
        return JSON_DEEP;
    from = token_of(value).text;
    st = type == od::json_type::object ? object_walk(value, node) : array_walk(value, node);
    depth--;
    if (st != JSON_FINE)
        return st;
    if (nodes ? node == NO_NODE || nodes[node].source == JSON_NO_SOURCE : type == od::json_type::object)
        return JSON_FINE;
    return hand_out(node, { from, static_cast<uint32_t>(here() - from), JSON_NESTED });
}

json_status json::row_walk(od::value &value)
{
    od::json_type type;
    error_code error = value.type().get(type);
    const char *end;
    json_status st;

    if (error)
        return status_of(error);
    if (++row == 0) { /* after 2^32 rows: marks of the first ones would seem new */
        std::memset(seen, 0, node_count * sizeof *seen);
        row = 1;
    }
    row_status = JSON_FINE;
    name_size = 0;
    row_at = static_cast<size_t>(token_of(value).text - text);
    in_row = type == od::json_type::object;
    if (in_row)
        calls->begin(self);
    st = walk(value, in_row && nodes ? 0 : NO_NODE);
    if (st != JSON_FINE)
        return st;
    if (!in_row)
        row_status = JSON_NO_OBJECT;
    in_row = false;
    end = type == od::json_type::object || type == od::json_type::array ? here() : nullptr;
    row_end = end ? static_cast<size_t>(end - text) : row_at + token_of(value).size;
    return JSON_FINE;
}

json_status json::row_out()
{
    after_row = row_end;
    return calls->row(self, row_at, row_end - row_at, row_status) ? JSON_STOPPED : JSON_FINE;
}

/* An array is its elements, each a row that stands whatever follows. An object
 * is a row once the whole text is seen to be good. */
json_status json::rows_walk(od::value &value)
{
    od::json_type type;
    od::array array;
    error_code error = value.type().get(type);
    json_status st;

    has_root = true;
    if (error)
        return status_of(error);
    is_alone = type != od::json_type::array;
    if (is_alone)
        return row_walk(value);
    error = value.get_array().get(array);
    if (error)
        return status_of(error);
    depth++;
    for (auto item : array) {
        od::value element;

        error = std::move(item).get(element);
        if (error)
            return status_of(error);
        st = row_walk(element);
        if (st == JSON_FINE)
            st = row_out();
        if (st != JSON_FINE)
            return st;
    }
    depth--;
    return JSON_FINE;
}

json_status json::root_object(od::value &value, const char *const *key)
{
    od::object object;
    error_code error = value.get_object().get(object);
    json_status st;

    if (error)
        return status_of(error);
    for (auto item : object) {
        od::field field;
        token name_here;

        error = std::move(item).get(field);
        if (error)
            return status_of(error);
        st = key_read(field, &name_here);
        if (st == JSON_FINE && is_word(name_here, *key) && has_root)
            return JSON_DUPLICATE;
        if (st == JSON_FINE)
            st = is_word(name_here, *key) ? root_walk(field.value(), key + 1) : walk(field.value(), NO_NODE);
        if (st != JSON_FINE)
            return st;
    }
    return JSON_FINE;
}

json_status json::root_array(od::value &value, const char *const *key)
{
    char digits[24];
    size_t index = 0;
    od::array array;
    error_code error = value.get_array().get(array);
    json_status st;

    if (error)
        return status_of(error);
    for (auto item : array) {
        od::value element;

        error = std::move(item).get(element);
        if (error)
            return status_of(error);
        std::snprintf(digits, sizeof digits, "%zu", index++);
        st = std::strcmp(digits, *key) == 0 ? root_walk(element, key + 1) : walk(element, NO_NODE);
        if (st != JSON_FINE)
            return st;
    }
    return JSON_FINE;
}

/* On the way to the rows, what stands beside it is walked too. */
json_status json::root_walk(od::value &value, const char *const *key)
{
    od::json_type type;
    error_code error;
    json_status st;

    if (!*key)
        return rows_walk(value);
    error = value.type().get(type);
    if (error)
        return status_of(error);
    if (++depth > JSON_DEPTH_MOST)
        return JSON_DEEP;
    if (type == od::json_type::object)
        st = root_object(value, key);
    else if (type == od::json_type::array)
        st = root_array(value, key);
    else
        st = walk(value, NO_NODE);
    depth--;
    return st;
}

/* A text that begins as neither object nor array: a scalar, or no JSON at all. */
json_status json::alone_walk() const
{
    const char *from = text, *end = text + size;

    while (from < end && json_blank(*from))
        from++;
    while (end > from && json_blank(end[-1]))
        end--;
    token t = { from, static_cast<size_t>(end - from) };
    bool is_scalar = is_word(t, "null") || is_word(t, "true") || is_word(t, "false") || json_number_ok(from, end) ||
                     (t.size > 1 && *from == '"' && end[-1] == '"');

    return is_scalar ? JSON_NO_OBJECT : JSON_BAD;
}

json_status json::text_walk()
{
    simdjson::padded_string_view view(text, size, size + simdjson::SIMDJSON_PADDING);
    od::value value;
    const char *more;
    error_code error = parser.iterate(view).get(document);
    json_status st;

    if (error)
        return status_of(error);
    error = document.get_value().get(value);
    if (error)
        return error == simdjson::SCALAR_DOCUMENT_AS_VALUE ? alone_walk() : status_of(error);
    st = root_walk(value, root);
    if (st != JSON_FINE)
        return st;
    if (!document.current_location().get(more) && more < text + size)
        return JSON_TRAILING;
    if (!has_root)
        return JSON_NO_ROOT;
    return is_alone ? row_out() : JSON_FINE;
}

extern "C" struct json *json_open(size_t most, const char *const *root, const struct json_node *nodes,
                                  size_t node_count)
{
    struct json *j = new (std::nothrow) json();

    if (!j)
        return nullptr;
    j->most = most;
    j->root = root;
    j->nodes = nodes;
    j->node_count = node_count;
    j->seen = new (std::nothrow) uint32_t[node_count + 1]();
    if (j->parser.allocate(most) == simdjson::SUCCESS) /* the reader knows how long a text may be */
        j->room = new (std::nothrow) uint8_t[most + simdjson::SIMDJSON_PADDING];
    if (!j->seen || !j->room) {
        json_close(j);
        return nullptr;
    }
    return j;
}

extern "C" void json_close(struct json *json)
{
    if (!json)
        return;
    delete[] json->seen;
    delete[] json->room;
    delete json;
}

extern "C" size_t json_padding(void)
{
    return simdjson::SIMDJSON_PADDING;
}

extern "C" enum json_status json_walk(struct json *json, const char *text, size_t size,
                                      const struct json_calls *calls, void *self, size_t *ret_at)
{
    json_status st;

    json->calls = calls;
    json->self = self;
    json->text = text;
    json->size = size;
    json->depth = 0;
    json->room_at = json->room;
    json->in_row = false;
    json->has_root = false;
    json->is_alone = false;
    json->row_at = 0;
    json->after_row = 0;
    json->name_size = 0;
    json->row_status = JSON_FINE;
    st = size > json->most ? JSON_BAD : json->text_walk();
    /* A row in the middle is bad from its beginning; between rows all is that follows the last. */
    *ret_at = json->is_alone ? 0 : json->row_at > json->after_row ? json->row_at : json->after_row;
    return st;
}
