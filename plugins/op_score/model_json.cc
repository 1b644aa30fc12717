/* SPDX-License-Identifier: Apache-2.0
 *
 * model_json.cc - JSON to a model, strictly.
 *
 * simdjson's on-demand parser goes over the text once; what it finds is kept in
 * containers until all is known to fit, then laid into one block. Exceptions end
 * here. A fault names the key and its place in the text.
 *
 * Not here: the file (model_file.c). */
#include "model.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include <simdjson.h>

const char *const model_links[LINKS] = { "linear", "logistic" };

namespace
{

using simdjson::ondemand::value;

enum key {
    FORMAT,
    NAME,
    MODEL_VERSION,
    LINK,
    INTERCEPT,
    NAMES,
    MEANS,
    SCALES,
    WEIGHTS,
    MINS,
    MAXS,
    UNITS,
    UNIT,
    CODE,
    KEYS
};
const char *const key_names[KEYS] = { "afferent_model", "name",    "version", "link", "intercept", "names", "means",
                                      "scales",         "weights", "mins",    "maxs", "units",     "unit",  "code" };
constexpr int REQUIRED = WEIGHTS + 1; /* the keys before it */

/* What was read so far. */
struct reading {
    const char *text;
    size_t size;
    model_fault *fault;
    bool seen[KEYS];
    const char *places[KEYS];
    std::string texts[KEYS]; /* NAME, MODEL_VERSION, UNIT, CODE */
    std::vector<std::string> names, units;
    std::vector<double> numbers[KEYS]; /* MEANS ... MAXS */
    double intercept;
    int link;
};

/* Where a byte of the text lies, in lines and characters from 1. */
void place(const reading &r, const char *at, unsigned *ret_line, unsigned *ret_column)
{
    *ret_line = 1;
    *ret_column = 1;
    if (at < r.text || at > r.text + r.size)
        at = r.text + r.size;
    for (const char *c = r.text; c < at; c++) {
        if (*c == '\n') {
            ++*ret_line;
            *ret_column = 1;
        } else {
            *ret_column += (static_cast<unsigned char>(*c) & 0xc0) != 0x80;
        }
    }
}

__attribute__((format(printf, 3, 4))) bool refuse(reading &r, const char *at, const char *format, ...)
{
    unsigned line, column;
    va_list args;
    int n;

    place(r, at, &line, &column);
    n = snprintf(r.fault->text, sizeof r.fault->text, "%u:%u: ", line, column);
    va_start(args, format);
    vsnprintf(r.fault->text + n, sizeof r.fault->text - static_cast<size_t>(n), format, args);
    va_end(args);
    return false;
}

/* The library words its errors anew from version to version. */
const char *error_text(simdjson::error_code error)
{
    switch (error) {
    case simdjson::EMPTY:
        return "the file is empty; expected { \"afferent_model\": 1, ... }; see that it is the right file";
    case simdjson::UTF8_ERROR:
        return "a byte is no UTF-8; expected JSON in UTF-8; save the file as such";
    case simdjson::UNCLOSED_STRING:
        return "a text does not end; expected a closing quote; see that the file is not cut";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
        return "the file ends too early; expected closing brackets; see that it is not cut";
    case simdjson::NUMBER_ERROR:
        return "a number is none; expected one as in 1.5 or -2e3; correct it";
    case simdjson::DEPTH_ERROR:
        return "it is nested too deeply; expected lists of values; take what is deeper out";
    default:
        return "this is no JSON; expected it as in RFC 8259; look for a comma, colon or quote that lacks or is too many";
    }
}

/* Where a value begins; it must be asked before the value is read. */
const char *begin_of(value &v)
{
    std::string_view token = v.raw_json_token();

    return token.data();
}

bool is_printable(std::string_view s)
{
    for (char c : s)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return false;
    return true;
}

/* "means[3]", or "name" where `row` is negative. */
std::string where(int k, int row)
{
    std::string s = key_names[k];

    return row < 0 ? s : s + "[" + std::to_string(row) + "]";
}

bool read_text(reading &r, value &v, int k, int row, std::string &to)
{
    const char *at = begin_of(v);
    std::string_view s;

    if (v.get_string().get(s))
        return refuse(r, at, "%s is no text; expected one between quotes", where(k, row).c_str());
    if (s.empty() || s.size() > MODEL_TEXT_MAX || !is_printable(s))
        return refuse(r, at, "%s is empty, longer than %d bytes or has control characters; expected a short text",
                      where(k, row).c_str(), static_cast<int>(MODEL_TEXT_MAX));
    to.assign(s);
    return true;
}

bool read_number(reading &r, value &v, int k, int row, double &to)
{
    const char *at = begin_of(v);

    if (v.get_double().get(to) || !std::isfinite(to))
        return refuse(r, at, "%s is no number that can be used; expected a finite one", where(k, row).c_str());
    if (k == SCALES && !(to > 0))
        return refuse(r, at, "%s is not above 0; expected the standard deviation, or 1 for none",
                      where(k, row).c_str());
    return true;
}

bool is_null_read(value &v)
{
    bool is_null = false;

    return !v.is_null().get(is_null) && is_null;
}

/* null stands for "not said" in what is optional. */
bool read_item(reading &r, value &v, int k, int row)
{
    bool is_optional = k >= REQUIRED,
         is_null = is_optional && v.raw_json_token().substr(0, 4) == "null" && is_null_read(v);

    if (k == NAMES || k == UNITS) {
        auto &list = k == NAMES ? r.names : r.units;

        list.emplace_back();
        return is_null || read_text(r, v, k, row, list.back());
    }
    double none = k == MINS ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();

    r.numbers[k].push_back(none);
    return is_null || read_number(r, v, k, row, r.numbers[k].back());
}

bool read_list(reading &r, value &v, int k)
{
    const char *at = begin_of(v);
    simdjson::ondemand::array items;
    int row = 0;

    if (v.get_array().get(items))
        return refuse(r, at, "%s is no list; expected one value for each feature, as in [1.5, 2]", key_names[k]);
    for (auto item : items) {
        value one;

        if (auto error = item.get(one))
            return refuse(r, at, "%s[%d]: %s", key_names[k], row, error_text(error));
        if (row == MODEL_FEATURES_MAX)
            return refuse(r, at, "%s has more than %d values; expected fewer", key_names[k],
                          static_cast<int>(MODEL_FEATURES_MAX));
        if (!read_item(r, one, k, row++))
            return false;
    }
    return true;
}

bool read_format(reading &r, value &v)
{
    const char *at = begin_of(v);
    int64_t format;

    if (v.get_int64().get(format) || format < 1)
        return refuse(r, at, "afferent_model is no version of this format; expected 1");
    if (format > 1)
        return refuse(r, at, "afferent_model is %lld; expected 1; install a newer afferent for this file",
                      static_cast<long long>(format));
    return true;
}

bool read_link(reading &r, value &v)
{
    const char *at = begin_of(v);
    std::string_view s;

    if (!v.get_string().get(s)) {
        for (r.link = 0; r.link < LINKS; r.link++)
            if (s == model_links[r.link])
                return true;
    }
    return refuse(r, at, "link is unknown; expected \"linear\" or \"logistic\"");
}

bool read_value(reading &r, value &v, int k)
{
    switch (k) {
    case FORMAT: return read_format(r, v);
    case LINK: return read_link(r, v);
    case INTERCEPT: return read_number(r, v, k, -1, r.intercept);
    case NAME:
    case MODEL_VERSION:
    case UNIT:
    case CODE: return read_text(r, v, k, -1, r.texts[k]);
    default: return read_list(r, v, k);
    }
}

/* Up to the 40 bytes of a key that a person would recognise it by. */
std::string shown(std::string_view key)
{
    return is_printable(key) && key.size() <= 40 ? "\"" + std::string(key) + "\"" : "a key";
}

bool read_field(reading &r, simdjson::ondemand::field &f)
{
    const char *at = f.key().raw() - 1; /* its quote */
    std::string_view key;
    int k = 0;

    if (f.unescaped_key().get(key))
        return refuse(r, at, "a key is no proper text; repair the file");
    while (k < KEYS && key != key_names[k])
        k++;
    if (k == KEYS)
        return refuse(r, at,
                      "%s is unknown; expected afferent_model, name, version, link, intercept, names, means, scales, "
                      "weights, mins, maxs, units, unit, code; take it out",
                      shown(key).c_str());
    if (r.seen[k])
        return refuse(r, at, "%s is there twice; expected it once; take one out", key_names[k]);
    r.seen[k] = true;
    r.places[k] = at;
    return read_value(r, f.value(), k);
}

size_t length_of(const reading &r, int k)
{
    return k == NAMES ? r.names.size() : k == UNITS ? r.units.size() : r.numbers[k].size();
}

bool names_differ(reading &r)
{
    for (size_t i = 0; i < r.names.size(); i++)
        for (size_t j = 0; j < i; j++)
            if (r.names[i] == r.names[j])
                return refuse(r, r.places[NAMES],
                              "names[%zu] and names[%zu] are the same; expected each feature once", j, i);
    return true;
}

/* What can be said only when all keys are read. */
bool check(reading &r)
{
    const char *end = r.text + r.size;

    for (int k = 0; k < REQUIRED; k++)
        if (!r.seen[k])
            return refuse(r, end, "%s is missing; expected it in the file; add it", key_names[k]);
    if (r.names.empty())
        return refuse(r, r.places[NAMES], "names is empty; expected one feature at least");
    for (int k = MEANS; k <= UNITS; k++)
        if (r.seen[k] && length_of(r, k) != r.names.size())
            return refuse(r, r.places[k], "%s has %zu values; expected %zu, one for each of names", key_names[k],
                          length_of(r, k), r.names.size());
    for (size_t i = 0; r.seen[MINS] && r.seen[MAXS] && i < r.names.size(); i++)
        if (r.numbers[MINS][i] > r.numbers[MAXS][i])
            return refuse(r, r.places[MAXS], "maxs[%zu] is below mins[%zu]; expected the range of the training", i,
                          i);
    if (r.link == LINK_LOGISTIC && (r.seen[UNIT] || r.seen[CODE]))
        return refuse(r, r.places[r.seen[UNIT] ? UNIT : CODE],
                      "unit and code belong to a linear model; a probability has "
                      "none; take them out");
    return names_differ(r);
}

bool read_document(reading &r, simdjson::ondemand::document &doc)
{
    simdjson::ondemand::object object;

    if (doc.get_object().get(object))
        return refuse(r, r.text, "the file is no whole JSON object; expected { \"afferent_model\": 1, ... }; see that it is the "
                                  "right file, and not cut");
    for (auto item : object) {
        simdjson::ondemand::field f;
        const char *at = r.text;

        if (auto error = std::move(item).get(f)) {
            return refuse(r, doc.current_location().get(at) ? r.text + r.size : at, "%s",
                          error_text(error));
        }
        if (!read_field(r, f))
            return false;
    }
    const char *at = nullptr;

    if (!doc.current_location().get(at))
        return refuse(r, at, "something follows the object; expected the end of the file");
    return check(r);
}

/* ---- into one block ---- */

const char *text_lay(char *&to, const std::string &from)
{
    char *at = to;

    if (from.empty())
        return nullptr;
    memcpy(at, from.c_str(), from.size() + 1);
    to += from.size() + 1;
    return at;
}

size_t texts_size(const reading &r)
{
    size_t size = 0;

    for (const auto &s : r.texts)
        size += s.size() + 1;
    for (const auto &s : r.names)
        size += s.size() + 1;
    for (const auto &s : r.units)
        size += s.size() + 1;
    return size;
}

void features_lay(const reading &r, feature *to, char *&texts)
{
    for (size_t i = 0; i < r.names.size(); i++, to++) {
        to->name = text_lay(texts, r.names[i]);
        to->unit = r.seen[UNITS] ? text_lay(texts, r.units[i]) : nullptr;
        to->mean = r.numbers[MEANS][i];
        to->scale = r.numbers[SCALES][i];
        to->weight = r.numbers[WEIGHTS][i];
        to->min = r.seen[MINS] ? r.numbers[MINS][i] : -std::numeric_limits<double>::infinity();
        to->max = r.seen[MAXS] ? r.numbers[MAXS][i] : std::numeric_limits<double>::infinity();
    }
}

model *lay(const aff_host *host, const reading &r)
{
    size_t count = r.names.size(), head = (sizeof(model) + 15) & ~static_cast<size_t>(15);
    char *block = static_cast<char *>(model_take(host, head + count * sizeof(feature) + texts_size(r)));
    model *m = reinterpret_cast<model *>(block);
    char *texts;

    if (!block)
        return nullptr;
    auto *features = reinterpret_cast<feature *>(block + head);
    texts = block + head + count * sizeof(feature);
    features_lay(r, features, texts);
    m->features = features;
    m->count = static_cast<uint32_t>(count);
    for (const auto &s : r.names)
        m->name_bytes += static_cast<uint32_t>(s.size() + 1);
    m->name = text_lay(texts, r.texts[NAME]);
    m->version = text_lay(texts, r.texts[MODEL_VERSION]);
    m->unit = text_lay(texts, r.texts[UNIT]);
    m->code = text_lay(texts, r.texts[CODE]);
    m->intercept = r.intercept;
    m->link = r.link;
    return m;
}

aff_status read_all(const aff_host *host, reading &r, model **ret)
{
    simdjson::ondemand::parser parser;
    simdjson::ondemand::document doc;
    simdjson::padded_string_view text(r.text, r.size, r.size + MODEL_PADDING);

    if (auto error = parser.iterate(text).get(doc)) {
        if (error == simdjson::MEMALLOC)
            return AFF_ERR_MEMORY;
        refuse(r, r.text, "%s", error_text(error));
        return AFF_ERR_CONFIG;
    }
    if (!read_document(r, doc))
        return AFF_ERR_CONFIG;
    *ret = lay(host, r);
    return *ret ? AFF_OK : AFF_ERR_MEMORY;
}

} // namespace

aff_status model_parse(const aff_host *host, const char *text, size_t size, model **ret, model_fault *fault)
{
    try {
        reading r = {};

        /* A byte order mark says nothing of UTF-8; RFC 8259, section 8.1, lets it be passed over. */
        size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

        r.text = text + mark;
        r.size = size - mark;
        r.fault = fault;
        return read_all(host, r, ret);
    } catch (const std::bad_alloc &) {
        return AFF_ERR_MEMORY;
    } catch (const std::exception &) {
        snprintf(fault->text, sizeof fault->text, "1:1: the text cannot be read; expected JSON");
        return AFF_ERR_CONFIG;
    }
}
