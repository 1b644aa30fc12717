/* toml.cc - TOML 1.0.0 text into a tree of values.
 *
 * The only C++ file of the runtime, and the only one that knows toml++, whose
 * tables iterate in key order: children are sorted by place here. Exceptions
 * end in this file. What toml++ accepts or survives differently from the
 * standard's list is caught before by toml_check.c.
 *
 * Not here: ${...} (expand.c), what the values mean (options.c, pipeline.c). */
#include "config/toml.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#define EXPECTED "; expected TOML 1.0.0; "

namespace {

struct builder {
    struct arena *arena;
    const char *file;
    const struct place *fixed;   /* when set, the place of everything */

    struct place at(const toml::source_region &source) const
    {
        if (fixed)
            return *fixed;
        return { file, source.begin.line, source.begin.column };
    }
};

struct value *node_build(const builder &b, const toml::node &node);

struct value *checked(struct value *value)
{
    if (!value)
        throw std::bad_alloc();
    return value;
}

void date_set(struct value_time &time, const toml::date &date)
{
    time.has_date = true;
    time.year = date.year;
    time.month = date.month;
    time.day = date.day;
}

void time_set(struct value_time &time, const toml::time &clock)
{
    time.has_time = true;
    time.hour = clock.hour;
    time.minute = clock.minute;
    time.second = clock.second;
    time.nanosecond = clock.nanosecond;
}

bool position_less(const toml::source_position &a, const toml::source_position &b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

void table_fill(const builder &b, struct value *parent, const toml::table &table)
{
    using member = std::pair<const toml::key *, const toml::node *>;
    std::vector<member> members;

    for (auto &&[key, node] : table)
        members.emplace_back(&key, &node);
    std::stable_sort(members.begin(), members.end(), [](const member &x, const member &y) {
        return position_less(x.first->source().begin, y.first->source().begin);
    });
    for (const auto &[key, node] : members) {
        struct value *child = node_build(b, *node);
        const std::string_view name = key->str();

        if (!value_set_key(b.arena, child, name.data(), name.size(), b.at(key->source())))
            throw std::bad_alloc();
        value_append(parent, child);
    }
}

void time_fill(struct value *value, const toml::node &node)
{
    if (const auto *date = node.as_date()) {
        date_set(value->time, date->get());
    } else if (const auto *clock = node.as_time()) {
        time_set(value->time, clock->get());
    } else if (const auto *both = node.as_date_time()) {
        date_set(value->time, both->get().date);
        time_set(value->time, both->get().time);
        if (both->get().offset) {
            value->time.has_offset = true;
            value->time.offset_minutes = both->get().offset->minutes;
        }
    }
}

enum value_kind kind_of(const toml::node &node)
{
    switch (node.type()) {
    case toml::node_type::table:          return VALUE_TABLE;
    case toml::node_type::array:          return VALUE_ARRAY;
    case toml::node_type::string:         return VALUE_TEXT;
    case toml::node_type::integer:        return VALUE_INT;
    case toml::node_type::floating_point: return VALUE_REAL;
    case toml::node_type::boolean:        return VALUE_BOOL;
    default:                              return VALUE_TIME;
    }
}

struct value *node_build(const builder &b, const toml::node &node)
{
    struct value *value = checked(value_new(b.arena, kind_of(node), b.at(node.source())));

    switch (value->kind) {
    case VALUE_TABLE:
        table_fill(b, value, *node.as_table());
        break;
    case VALUE_ARRAY:
        for (auto &&item : *node.as_array())
            value_append(value, node_build(b, item));
        break;
    case VALUE_TEXT: {
        const std::string &text = node.as_string()->get();

        if (!value_set_text(b.arena, value, text.data(), text.size()))
            throw std::bad_alloc();
        value->written = value->text;
        break;
    }
    case VALUE_INT:
        value->integer = node.as_integer()->get();
        break;
    case VALUE_REAL:
        value->real = node.as_floating_point()->get();
        break;
    case VALUE_BOOL:
        value->boolean = node.as_boolean()->get();
        break;
    case VALUE_TIME:
        time_fill(value, node);
        break;
    }
    return value;
}

/* toml++ says "saw 'x'" and repeats whole numbers; the value may be a secret,
 * so what it quotes is left out, except the keys in "cannot redefine ...". */
std::string description_clean(std::string_view said, const char *hint)
{
    static constexpr std::string_view redefine = "cannot redefine existing";
    static constexpr std::string_view prefix = "Error while parsing ";
    std::string text;

    if (const char *plain = toml_plain(std::string(said).c_str()))
        return std::string(plain) + EXPECTED + hint;
    if (said.substr(0, prefix.size()) == prefix)
        said.remove_prefix(prefix.size());
    if (said.find(redefine) != std::string_view::npos)
        return std::string(said.substr(said.find(redefine))) +
               "; expected each name once; rename one or remove it";
    if (said.find("cannot ") != std::string_view::npos)
        return std::string(said) + EXPECTED + hint;
    const std::size_t saw = said.find(", saw");
    if (saw != std::string_view::npos)
        said = said.substr(0, saw);
    for (std::size_t i = 0; i < said.size(); i++) {
        const std::size_t end = said[i] == '\'' ? said.find('\'', i + 1) : std::string_view::npos;

        if (end != std::string_view::npos && end - i > 2) {
            text += "the value";
            i = end;
        } else {
            text += said[i];
        }
    }
    return text + EXPECTED + hint;
}

/* The library reads numbers where it promises to throw nothing: there the only way to
 * say that memory is short is to end with a message in place of a core. */
[[noreturn]] void end_without_memory()
{
    static const char text[] = "afferent: there is no memory to read the pipeline's file; free memory and try again\n";

    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(3);
    _exit(3);
}

struct ending {
    std::terminate_handler before = std::set_terminate(end_without_memory);
    ~ending() { std::set_terminate(before); }
};

struct value *parse(const builder &b, std::string_view text)
{
    const ending while_it_reads;
    const toml::table table = toml::parse(text, std::string_view{});

    return node_build(b, table);
}

void out_of_memory(struct report *report, const char *file)
{
    report_add(report, REPORT_ERROR, { file, 0, 0 }, nullptr,
               "there is no memory to read the file; free memory and try again");
}

}  // namespace

extern "C" struct value *toml_parse(struct arena *arena, struct report *report, const char *file,
                                    const char *bytes, size_t length)
{
    const builder b = { arena, file, nullptr };
    struct place place = { file, 0, 0 };
    const char *problem = toml_check(bytes, length, &place);

    if (problem) {
        report_add(report, REPORT_ERROR, place, nullptr, "%s", problem);
        return nullptr;
    }
    try {
        return parse(b, std::string_view(bytes, length));
    } catch (const toml::parse_error &error) {
        try {
            const struct place at = b.at(error.source());
            const std::string said(error.description());
            const char *hint = toml_hint(bytes, length, at.line, said.c_str());

            report_add(report, REPORT_ERROR, at, nullptr, "this is not valid TOML: %s",
                       description_clean(error.description(), hint ? hint : "correct this line").c_str());
        } catch (...) {
            out_of_memory(report, file);
        }
    } catch (...) {
        out_of_memory(report, file);
    }
    return nullptr;
}

extern "C" struct value *toml_value(struct arena *arena, struct place place, const char *text)
{
    const builder b = { arena, place.file, &place };
    struct place ignored = place;

    try {
        const std::string line = std::string("v = ") + text;
        struct value *document;

        if (toml_check(line.data(), line.size(), &ignored))
            return nullptr;
        document = parse(b, line);
        return document->count == 1 ? document->first : nullptr;
    } catch (...) {
        return nullptr;
    }
}
