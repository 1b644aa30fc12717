/* option_value.c - one value of TOML into one member of a config struct.
 *
 * A message quotes what stands in the file, never what came from outside it,
 * and nothing at all of a secret.
 *
 * Not here: tables, lists, maps and missing options (options.c). */
#include <math.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "config/options.h"
#include "config/toml.h"
#include "util/file.h"
#include "util/units.h"

/* Longer texts are not repeated in messages. */
#define SHOWN_MAX ((size_t)60)

struct scalar {
    const struct options_job *job;
    const struct aff_option *option;
    const struct value *value;
    const char *path;
};

#define WRONG(s, ...) \
    (report_add((s)->job->report, REPORT_ERROR, (s)->value->place, (s)->job->node, __VA_ARGS__), \
     false)

static void add_amount(struct text *text, uint16_t type, double amount)
{
    if (type == AFF_TYPE_DURATION)
        units_add_duration(text, (int64_t)amount);
    else if (type == AFF_TYPE_BYTES)
        units_add_bytes(text, (int64_t)amount);
    else if (type == AFF_TYPE_FREQUENCY)
        units_add_frequency(text, amount);
    else if (type == AFF_TYPE_INT && fabs(amount) < 1e15)
        text_print(text, "%.0f", amount);
    else
        text_print(text, "%.10g", amount);
}

/* Moves a finished text into the arena; "?" when there is no memory. */
static const char *keep(struct arena *arena, struct text *text)
{
    const char *kept = text->failed || !text->data
        ? NULL : arena_copy(arena, text->data, text->length);

    text_free(text);
    return kept ? kept : "?";
}

static const char *choices_text(struct arena *arena, const struct aff_option *option)
{
    struct text text = { 0 };

    for (size_t i = 0; option->choices[i]; i++)
        text_print(&text, "%s\"%s\"", i == 0 ? "" : option->choices[i + 1] ? ", " : " or ",
                   option->choices[i]);
    return keep(arena, &text);
}

const char *option_expected(const struct options_job *job, const struct aff_option *option)
{
    switch (option->type) {
    case AFF_TYPE_INT:       return "an integer";
    case AFF_TYPE_REAL:      return "a number";
    case AFF_TYPE_BOOL:      return "true or false";
    case AFF_TYPE_ENUM:      return choices_text(job->arena, option);
    case AFF_TYPE_DURATION:  return units_expected(UNITS_DURATION);
    case AFF_TYPE_BYTES:     return units_expected(UNITS_BYTES);
    case AFF_TYPE_FREQUENCY: return units_expected(UNITS_FREQUENCY);
    case AFF_TYPE_PATH:      return "a path as text";
    case AFF_TYPE_SECRET:    return "a secret, such as \"${file:key.txt}\"";
    case AFF_TYPE_TABLE:
    case AFF_TYPE_MAP:       return "a table { ... }";
    case AFF_TYPE_LIST:      return "a list [ ... ]";
    default:                 return "a text";
    }
}

static const char *shown_text(const struct scalar *s)
{
    struct arena *arena = s->job->arena;
    const char *shown;

    if (strlen(s->value->written) > SHOWN_MAX)
        return arena_print(arena, "%s", s->path);
    shown = arena_print(arena, "%s = \"%s\"", s->path, s->value->written);
    return shown ? shown : s->path;
}

/* "baud = 5" where that may be shown, else "baud". */
static const char *shown(const struct scalar *s)
{
    const struct value *value = s->value;
    struct text text = { 0 };

    if (s->option->type == AFF_TYPE_SECRET)
        return s->path;
    if (value->written)
        return shown_text(s);
    text_print(&text, "%s = ", s->path);
    switch (value->kind) {
    case VALUE_INT:  text_print(&text, "%lld", (long long)value->integer); break;
    case VALUE_REAL: text_print(&text, "%.10g", value->real); break;
    case VALUE_BOOL: text_add(&text, value->boolean ? "true" : "false"); break;
    default:
        text_free(&text);
        return s->path;
    }
    return keep(s->job->arena, &text);
}

/* What stands in quotes and needs none: "80", "true". */
static bool is_quoted(const struct scalar *s)
{
    uint16_t type = s->option->type;
    const struct value *read = NULL;

    if (s->value->kind == VALUE_TEXT && s->value->origin == VALUE_WRITTEN &&
        s->value->text_length <= SHOWN_MAX &&
        (type == AFF_TYPE_INT || type == AFF_TYPE_REAL || type == AFF_TYPE_BOOL))
        read = toml_value(s->job->arena, s->value->place, s->value->text);
    return read && (type == AFF_TYPE_BOOL ? read->kind == VALUE_BOOL
                    : read->kind == VALUE_INT || (type == AFF_TYPE_REAL && read->kind == VALUE_REAL));
}

static bool wrong_type(const struct scalar *s)
{
    const char *expected = option_expected(s->job, s->option);

    if (is_quoted(s))
        return WRONG(s, "%s is a text; expected %s; take the quotes away: %s", s->path, expected,
                     s->value->text);
    if (s->value->kind == VALUE_TEXT && s->value->origin != VALUE_WRITTEN)
        return WRONG(s, "%s does not give %s; expected %s; correct it where it comes from", shown(s),
                     expected, expected);
    if (s->value->kind == VALUE_TIME && s->option->type == AFF_TYPE_TEXT)
        return WRONG(s, "%s is a date or time; expected a text; put quotes around it", s->path);
    if (s->option->preset)
        return WRONG(s, "%s is %s; expected %s; write it like %s", s->path,
                     value_kind_name(s->value), expected, s->option->preset);
    return WRONG(s, "%s is %s; expected %s; write one", s->path, value_kind_name(s->value),
                 expected);
}

/* The limits for people; a limit that is as wide as the type is none. */
static const char *range_text(const struct scalar *s)
{
    const struct aff_option *option = s->option;
    bool has_min = option->min > -9e18, has_max = option->max < 9e18;
    struct text text = { 0 };

    if (!has_min)
        text_add(&text, "at most ");
    else if (!has_max)
        text_add(&text, "at least ");
    if (has_min)
        add_amount(&text, option->type, option->min);
    if (has_min && has_max)
        text_add(&text, " to ");
    if (has_max)
        add_amount(&text, option->type, option->max);
    if (option->unit && (option->type == AFF_TYPE_INT || option->type == AFF_TYPE_REAL))
        text_print(&text, " %s", option->unit);
    return keep(s->job->arena, &text);
}

static bool in_range(const struct scalar *s, double amount)
{
    const struct aff_option *option = s->option;

    if (option->min > option->max || (amount >= option->min && amount <= option->max))
        return true;
    if (option->preset)
        return WRONG(s, "%s is out of range; expected %s; did you mean %s?", shown(s),
                     range_text(s), option->preset);
    return WRONG(s, "%s is out of range; expected %s; choose a value in that range", shown(s),
                 range_text(s));
}

static bool put_int(const struct scalar *s, void *cell)
{
    if (s->value->kind != VALUE_INT)
        return wrong_type(s);
    if (!in_range(s, (double)s->value->integer))
        return false;
    *(int64_t *)cell = s->value->integer;
    return true;
}

static bool put_real(const struct scalar *s, void *cell)
{
    double real = s->value->kind == VALUE_INT ? (double)s->value->integer : s->value->real;

    if (s->value->kind != VALUE_INT && s->value->kind != VALUE_REAL)
        return wrong_type(s);
    if (!isfinite(real))
        return WRONG(s, "%s is not finite; expected a number; write one", s->path);
    if (!in_range(s, real))
        return false;
    *(double *)cell = real;
    return true;
}

static bool put_bool(const struct scalar *s, void *cell)
{
    if (s->value->kind != VALUE_BOOL)
        return wrong_type(s);
    *(int32_t *)cell = s->value->boolean;
    return true;
}

static bool is_plain_text(const struct scalar *s)
{
    if (s->value->kind != VALUE_TEXT)
        return wrong_type(s);
    if (strlen(s->value->text) != s->value->text_length)
        return WRONG(s, "%s holds a NUL character; expected text without one; take it out",
                     s->path);
    return true;
}

static bool put_enum(const struct scalar *s, void *cell)
{
    struct aff_guess guess = { .word = s->value->text };

    if (!is_plain_text(s))
        return false;
    for (int32_t i = 0; s->option->choices[i]; i++) {
        if (!strcmp(s->option->choices[i], s->value->text)) {
            *(int32_t *)cell = i;
            return true;
        }
        aff_guess_offer(&guess, s->option->choices[i]);
    }
    if (guess.best)
        return WRONG(s, "%s is not a choice; expected %s; did you mean \"%s\"?", shown(s),
                     choices_text(s->job->arena, s->option), guess.best);
    return WRONG(s, "%s is not a choice; expected %s; choose one", shown(s),
                 choices_text(s->job->arena, s->option));
}

/* A unit as people write it, by kind; what differs in capitals only is found
 * without. "m" is a minute to no one who reads UCUM, so it is asked about. */
static const struct { enum units_kind kind; const char *said, *unit; } spelled[] = {
    { UNITS_DURATION, "sec", "s" },      { UNITS_DURATION, "secs", "s" },
    { UNITS_DURATION, "second", "s" },   { UNITS_DURATION, "seconds", "s" },
    { UNITS_DURATION, "msec", "ms" },    { UNITS_DURATION, "millisecond", "ms" },
    { UNITS_DURATION, "milliseconds", "ms" }, { UNITS_DURATION, "usec", "us" },
    { UNITS_DURATION, "m", "min" },      { UNITS_DURATION, "mins", "min" },
    { UNITS_DURATION, "minute", "min" }, { UNITS_DURATION, "minutes", "min" },
    { UNITS_DURATION, "hr", "h" },       { UNITS_DURATION, "hrs", "h" },
    { UNITS_DURATION, "hour", "h" },     { UNITS_DURATION, "hours", "h" },
    { UNITS_DURATION, "day", "d" },      { UNITS_DURATION, "days", "d" },
    { UNITS_DURATION, "ms", "ms" },      { UNITS_DURATION, "s", "s" },
    { UNITS_DURATION, "min", "min" },    { UNITS_DURATION, "h", "h" },
    { UNITS_FREQUENCY, "hz", "Hz" },     { UNITS_FREQUENCY, "hertz", "Hz" },
    { UNITS_FREQUENCY, "khz", "kHz" },   { UNITS_FREQUENCY, "/s", "Hz" },
    { UNITS_BYTES, "bytes", "B" },       { UNITS_BYTES, "b", "B" },
    { UNITS_BYTES, "k", "KiB" },         { UNITS_BYTES, "kb", "kB" },
    { UNITS_BYTES, "kib", "KiB" },       { UNITS_BYTES, "m", "MiB" },
    { UNITS_BYTES, "mb", "MB" },         { UNITS_BYTES, "mib", "MiB" },
    { UNITS_BYTES, "g", "GiB" },         { UNITS_BYTES, "gb", "GB" },
    { UNITS_BYTES, "gib", "GiB" },       { UNITS_BYTES, "tb", "TB" },
};

/* "10 seconds" was meant as "10s"; NULL where nobody knows. */
static const char *units_meant(struct arena *arena, enum units_kind kind, const char *text)
{
    size_t number = strspn(text, "+-0123456789."), gap = strspn(text + number, " ");

    for (size_t i = 0; number && number < 32 && i < sizeof spelled / sizeof *spelled; i++)
        if (spelled[i].kind == kind && !strcasecmp(spelled[i].said, text + number + gap))
            return arena_print(arena, "%.*s%s", (int)number, text, spelled[i].unit);
    return NULL;
}

static bool put_amount(const struct scalar *s, enum units_kind kind, void *cell)
{
    const struct value *value = s->value;
    enum units_status status;
    const char *meant;
    int64_t whole = 0;
    double real = 0;

    if (value->kind == VALUE_INT || value->kind == VALUE_REAL)
        return WRONG(s, "%s is a bare number; expected %s; write it as text with its unit",
                     shown(s), units_expected(kind));
    if (!is_plain_text(s))
        return false;
    status = kind == UNITS_DURATION ? units_duration(value->text, &whole)
        : kind == UNITS_BYTES ? units_bytes(value->text, &whole)
        : units_frequency(value->text, &real);
    if (status == UNITS_BAD_UNIT && s->value->origin == VALUE_WRITTEN &&
        (meant = units_meant(s->job->arena, kind, value->text)))
        return WRONG(s, "%s %s; expected %s; did you mean \"%s\"?", shown(s), units_problem(status),
                     units_expected(kind), meant);
    if (status != UNITS_OK)
        return WRONG(s, "%s %s; expected %s; write number and unit", shown(s),
                     units_problem(status), units_expected(kind));
    if (!in_range(s, kind == UNITS_FREQUENCY ? real : (double)whole))
        return false;
    if (kind == UNITS_FREQUENCY)
        *(double *)cell = real;
    else
        *(int64_t *)cell = whole;
    return true;
}

char *option_path(struct arena *arena, const char *base, const char *path)
{
    char *full = file_beside(arena, base, path), *folder;

    if (!full || *full == '/')
        return full;
    folder = getcwd(NULL, 0);
    if (!folder)
        return NULL;
    full = arena_print(arena, "%s/%s", folder, full);
    free(folder);
    return full;
}

/* What a shell would have replaced is part of the name here. */
static bool shell_warn(const struct scalar *s)
{
    const char *text = s->value->text, *dollar = strchr(text, '$');
    bool is_home = text[0] == '~' && (text[1] == '/' || !text[1]);
    bool is_shells = is_home || (dollar && (dollar[1] == '_' || (dollar[1] >= 'A' && dollar[1] <= 'Z')));

    is_shells = is_shells && s->value->origin == VALUE_WRITTEN;
    if (is_shells)
        report_add(s->job->report, REPORT_WARNING, s->value->place, s->job->node,
                   "%s holds \"%c\", which no shell replaces here; expected a path as it is; write "
                   "${env:%s} for a variable", s->path, is_home ? '~' : '$', is_home ? "HOME" : "NAME");
    return is_shells;
}

static bool put_path(const struct scalar *s, void *cell)
{
    char *full;

    if (!is_plain_text(s))
        return false;
    if (!*s->value->text)
        return WRONG(s, "%s is empty; expected a path; name a file", s->path);
    full = option_path(s->job->arena, s->job->base, s->value->text);
    if (!full)
        return WRONG(s, "%s cannot be made absolute; expected a current folder that can be "
                     "named; change to one, or write the whole path", s->path);
    if (!shell_warn(s) && (s->option->flags & AFF_OPT_INPUT) && !strpbrk(full, "*?[") && access(full, R_OK) < 0)
        report_add(s->job->report, REPORT_WARNING, s->value->place, s->job->node,
                   "%s cannot be read now: %s; expected a file that can; check its name, or a run "
                   "waits for it", shown(s), strerror(errno));
    *(const char **)cell = full;
    return true;
}

static bool put_secret(const struct scalar *s, void *cell)
{
    if (!is_plain_text(s))
        return false;
    if (s->value->open_file)
        return WRONG(s, "%s comes from a file that others may read or write; expected "
                     "permissions 0600; run: chmod 600 %s", s->path, s->value->open_file);
    if (!*s->value->text)
        return WRONG(s, "%s is empty; expected a secret; put one there", s->path);
    *(const char **)cell = s->value->text;
    return true;
}

static bool put_text(const struct scalar *s, void *cell)
{
    if (!is_plain_text(s))
        return false;
    *(const char **)cell = s->value->text;
    return true;
}

/* ${...} always gives a text; where a number or a truth value is wanted it is
 * read as TOML, since there is no other way to take one from the environment. */
static const struct value *from_outside(const struct options_job *job,
                                        const struct aff_option *option,
                                        const struct value *value)
{
    struct value *read;

    if (value->kind != VALUE_TEXT || value->origin == VALUE_WRITTEN ||
        (option->type != AFF_TYPE_INT && option->type != AFF_TYPE_REAL &&
         option->type != AFF_TYPE_BOOL))
        return value;
    read = toml_value(job->arena, value->place, value->text);
    if (!read)
        return value;
    read->written = value->written;
    return read;
}

bool option_scalar(const struct options_job *job, const struct aff_option *option,
                   const struct value *value, const char *path, void *cell)
{
    struct scalar s = { job, option, from_outside(job, option, value), path };

    if (value->is_broken)
        return false;
    switch (option->type) {
    case AFF_TYPE_INT:       return put_int(&s, cell);
    case AFF_TYPE_REAL:      return put_real(&s, cell);
    case AFF_TYPE_BOOL:      return put_bool(&s, cell);
    case AFF_TYPE_TEXT:      return put_text(&s, cell);
    case AFF_TYPE_ENUM:      return put_enum(&s, cell);
    case AFF_TYPE_DURATION:  return put_amount(&s, UNITS_DURATION, cell);
    case AFF_TYPE_BYTES:     return put_amount(&s, UNITS_BYTES, cell);
    case AFF_TYPE_FREQUENCY: return put_amount(&s, UNITS_FREQUENCY, cell);
    case AFF_TYPE_PATH:      return put_path(&s, cell);
    case AFF_TYPE_SECRET:    return put_secret(&s, cell);
    default:
        return WRONG(&s, "%s has a type that this host does not know; expected an older plugin; "
                     "install a newer afferent", path);
    }
}
