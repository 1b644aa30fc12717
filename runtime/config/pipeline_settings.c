/* pipeline_settings.c - [pipeline]: what holds for a pipeline as a whole.
 *
 * Its keys go through the same option check as a plugin's. What a later version
 * brings is known by name and refused as such, not as a typing error.
 *
 * Not here: what the settings do (plan.h says it). */
#include <string.h>

#include "config/key_file.h"
#include "config/keys.h"
#include "config/pipeline_inside.h"
#include "util/text.h"

#define SETTING(type_, name_, member_, flags_, preset_, min_, max_, doc_) \
    { .name = name_, .doc = doc_, .preset = preset_, .type = type_, .flags = flags_, \
      .offset = (uint32_t)offsetof(struct settings, member_), .min = min_, .max = max_ }

static const struct aff_option settings_table[] = {
    SETTING(AFF_TYPE_TEXT, "name", name, AFF_OPT_REQUIRED, NULL, 1, -1,
            "the pipeline's name, part of its records' identity"),
    SETTING(AFF_TYPE_BYTES, "memory_limit", memory_limit, 0, "\"32MiB\"", 65536, 0x1p40,
            "what rings, hold areas and nodes may use together"),
    SETTING(AFF_TYPE_DURATION, "commit_every", commit_every_ns, 0, "\"250ms\"", 1e6, 60e9,
            "how long an epoch lasts at most"),
    SETTING(AFF_TYPE_INT, "commit_records", commit_records, 0, "8192", 1, 1e9,
            "records of a source in an epoch at most"),
    SETTING(AFF_TYPE_BYTES, "commit_bytes", commit_bytes, 0, "\"8MiB\"", 1024, 0x1p40,
            "payload of a source in an epoch at most"),
    SETTING(AFF_TYPE_BYTES, "max_record", max_record, 0, "\"1MiB\"", 64, 0x1p30,
            "the largest payload of a record"),
    SETTING(AFF_TYPE_BYTES, "store_limit", store_limit, 0, "\"1GiB\"", 0, 0x1p40,
            "what may be stored of records that were not delivered yet; 0B: nothing is stored, at least 1MiB else"),
    SETTING(AFF_TYPE_PATH, "store_key", store_key, 0, NULL, 1, -1,
            "a key file, made by afferent key new, that seals what is stored; without it nothing is sealed"),
};
#define SETTING_COUNT ((uint32_t)(sizeof settings_table / sizeof *settings_table))

static const char *const settings_later[] = { "large", NULL };
#define STORE_LEAST (1 << 20)

const struct aff_option *keys_pipeline(uint32_t *ret_count)
{
    *ret_count = SETTING_COUNT;
    return settings_table;
}

bool pipeline_name_good(const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return *name && strlen(name) <= 63 && strspn(name, good) == strlen(name);
}

const char *pipeline_name_meant(struct arena *arena, const char *name)
{
    char meant[32] = "";
    size_t length = strlen(name);

    for (size_t i = 0; i < length && length < sizeof meant; i++) {
        bool is_good = pipeline_name_good((char[]){ name[i], '\0' });

        if (!is_good && (name[i] < ' ' || name[i] > '~'))
            return "another";
        meant[i] = is_good ? name[i] : '_';
    }
    return *meant && meant[strspn(meant, "_")] ? arena_print(arena, "\"%s\"", meant) : "another";
}

static bool name_check(struct draft *draft, const struct value *table, const struct settings *settings)
{
    if (pipeline_name_good(settings->name))
        return true;
    report_add(draft->report, REPORT_ERROR, value_find(table, "name")->place, "pipeline",
               "name cannot be used; expected up to 63 letters, digits, \"_\" or \"-\"; write %s",
               pipeline_name_meant(draft->arena, settings->name));
    return false;
}

/* A key that cannot be used is found before anything is sealed with none. */
static void store_key_check(struct draft *draft, const struct value *value, const char *path)
{
    const char *shown = value->origin == VALUE_WRITTEN ? value->text : value->written;
    uint8_t key[KEY_FILE_BYTES];
    struct text why = { 0 };

    if (!key_file_read(path, shown, key, &why))
        report_add(draft->report, REPORT_ERROR, value->place, "pipeline", "store_key: %s",
                   why.data ? why.data : "there is no memory to read it; free memory and try again");
    explicit_bzero(key, sizeof key);
    text_free(&why);
}

static void store_check(struct draft *draft, const struct value *table, const struct settings *settings)
{
    const struct value *limit = value_find(table, "store_limit");

    if (limit && settings->store_limit > 0 && settings->store_limit < STORE_LEAST)
        report_add(draft->report, REPORT_ERROR, limit->place, "pipeline",
                   "store_limit is too small to be of use; expected at least 1MiB, or \"0B\" to store "
                   "nothing; did you mean \"1GiB\"?");
    else if (limit && settings->store_limit > 0 && settings->store_limit < settings->max_record)
        report_add(draft->report, REPORT_ERROR, limit->place, "pipeline",
                   "store_limit is less than max_record, so a record may come that can never wait there; "
                   "expected at least as much; raise store_limit, or lower max_record");
    if (settings->store_key)
        store_key_check(draft, value_find(table, "store_key"), settings->store_key);
}

bool settings_read(struct draft *draft, const struct value *document, struct settings *settings)
{
    const struct value *table = value_find(document, "pipeline");
    struct options_job job = { .arena = draft->arena, .report = draft->report,
                               .base = draft->file, .node = "pipeline",
                               .later = settings_later, .missing = { draft->file, 1, 1 } };

    if (table && table->kind != VALUE_TABLE) {
        report_add(draft->report, REPORT_ERROR, table->key_place, NULL,
                   "pipeline is %s; expected a table; write [pipeline]", value_kind_name(table));
        return false;
    }
    if (!table) {
        report_add(draft->report, REPORT_ERROR, job.missing, NULL,
                   "there is no [pipeline]; expected one with the pipeline's name; write [pipeline] "
                   "and below it name = \"...\"");
        return false;
    }
    job.missing = table->key_place;
    if (!options_fill(&job, settings_table, SETTING_COUNT, table, "", settings))
        return false;
    store_check(draft, table, settings);
    return name_check(draft, table, settings);
}
