/* fixture.c - one plugin, built in many right and wrong ways by test_load.
 *
 * -DCASE_... chooses what is wrong with it. The name is op_good unless
 * -DNAME says otherwise. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <afferent/plugin.h>

#ifndef NAME
#define NAME "op_good"
#endif

struct point {
    double x;
    int64_t y;
};

struct config {
    double factor;
    int64_t wait_ns;
    const char *path;
    int32_t mode;
    int32_t loud;
    const struct point *point;
    struct aff_list points;
    struct aff_list words;
    struct aff_list limits;
};

struct limit {
    const char *key;
    double high;
};

static const char *const modes[] = { "slow", "fast", NULL };

/* Tables with rows of another size than the header's. */
#if defined(CASE_WIDE)
struct option_row { struct aff_option row; uint64_t more[3]; };
struct port_row { struct aff_port row; uint64_t more; };
struct verdict_row { struct aff_verdict row; uint32_t more; };
#define ROW(...) { .row = __VA_ARGS__ }
#else
#define option_row aff_option
#define port_row aff_port
#define verdict_row aff_verdict
#define ROW(...) __VA_ARGS__
#endif

#if !defined(CASE_WIDE)
static const struct aff_option point_options[] = {
    AFF_OPT_REAL(struct point, x, 0, "1.5", -10.0, 10.0, "mV", "Across."),
    AFF_OPT_INT(struct point, y, AFF_OPT_REQUIRED, NULL, 0.0, 9.0, NULL, "Up."),
};
static const struct aff_option word_options[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A word.") };
static const struct aff_option limit_options[] = {
    AFF_OPT_REAL(struct limit, high, AFF_OPT_REQUIRED, NULL, 1.0, -1.0, "mV", "Upper limit."),
};
#if defined(CASE_SELF_NEST)
extern const struct aff_option self_options[1];
__attribute__((visibility("hidden"))) const struct aff_option self_options[1] = {
    { "self", "Itself.", NULL, NULL, AFF_TYPE_TABLE, 0, 0, 1.0, -1.0, NULL, self_options, 1, 64 },
};
#endif
#endif

static const struct option_row options[] = {
    ROW(AFF_OPT_REAL(struct config, factor, AFF_OPT_REQUIRED, NULL, 0.0, 100.0, "1", "What samples are multiplied by.")),
    ROW(AFF_OPT_DURATION(struct config, wait_ns, 0, "\"250ms\"", 0.0, 1e9, "How long it waits.")),
    ROW(AFF_OPT_PATH(struct config, path, AFF_OPT_INPUT, NULL, "A file that is read.")),
    ROW(AFF_OPT_ENUM(struct config, mode, 0, "\"fast\"", modes, "How it works.")),
#if defined(CASE_OFFSET)
    ROW({ "loud", "Whether.", NULL, "true", AFF_TYPE_BOOL, 0, sizeof(struct config), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_OVERLAP)
    ROW({ "loud", "Whether.", NULL, "true", AFF_TYPE_BOOL, 0, offsetof(struct config, mode), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_DOUBLE)
    ROW({ "mode", "Whether.", NULL, "true", AFF_TYPE_BOOL, 0, offsetof(struct config, loud), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_OPTION_NAME)
    ROW({ "Loud", "Whether.", NULL, "true", AFF_TYPE_BOOL, 0, offsetof(struct config, loud), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_HOST_KEY)
    ROW({ "edge", "Whether.", NULL, "true", AFF_TYPE_BOOL, 0, offsetof(struct config, loud), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_TYPE)
    ROW({ "loud", "Whether.", NULL, "true", 99, 0, offsetof(struct config, loud), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_WILD_DOC)
    ROW({ "loud", (const char *)0x10, NULL, "true", AFF_TYPE_BOOL, 0, offsetof(struct config, loud), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_WILD_CHOICES)
    ROW({ "loud", "Whether.", NULL, "\"x\"", AFF_TYPE_ENUM, 0, offsetof(struct config, loud), 1.0, -1.0, (const char *const *)0x1234, NULL, 0, 0 }),
#elif defined(CASE_CONTROL)
    ROW({ "loud", "Whether\033[2J.", NULL, "true", AFF_TYPE_BOOL, 0, offsetof(struct config, loud), 1.0, -1.0, NULL, NULL, 0, 0 }),
#elif defined(CASE_SELF_NEST)
    ROW({ "loud", "Whether.", NULL, NULL, AFF_TYPE_TABLE, 0, offsetof(struct config, point), 1.0, -1.0, NULL, self_options, 1, 64 }),
#else
    ROW(AFF_OPT_BOOL(struct config, loud, "false", "Whether it says so.")),
#endif
#if !defined(CASE_WIDE) && !defined(CASE_SELF_NEST)
    AFF_OPT_TABLE(struct config, point, 0, point_options, sizeof(struct point), "A point."),
    AFF_OPT_LIST(struct config, points, 0, point_options, sizeof(struct point), "Some points."),
    AFF_OPT_LIST(struct config, words, 0, word_options, sizeof(const char *), "Some words."),
    AFF_OPT_MAP(struct config, limits, 0, limit_options, sizeof(struct limit), "Limits by name."),
#endif
};

static const struct aff_column columns[] = {
    { "heart_rate", "/min", "8867-4", AFF_REAL, AFF_LABEL_NONE, 1, { 0 }, 0.0, 0.0 },
    { "name", NULL, NULL, AFF_TEXT, AFF_LABEL_PHI, 0, { 0 }, 0.0, 0.0 },
};
static const struct aff_schema schema = {
    sizeof(struct aff_schema), AFF_FIELDS, 0, AFF_LABEL_NONE, 0, "vitals", columns,
#if defined(CASE_COLUMNS)
    1u << 30,
#else
    2,
#endif
    sizeof(struct aff_column), 0, 0
};

static const struct port_row inputs[] = {
    ROW({ "in", "What comes.", &schema, AFF_MASK(AFF_FIELDS), 0, 0, 0, 0 }),
};
static const struct port_row outputs[] = {
#if defined(CASE_PASSES)
    ROW({ "out", "What goes.", NULL, AFF_MASK(AFF_FIELDS), 0, AFF_PASSES(3), AFF_PRIO_VITALS, 0 }),
#else
    ROW({ "out", "What goes.", NULL, AFF_MASK(AFF_FIELDS), 0, AFF_PASSES(0), AFF_PRIO_VITALS, 0 }),
#endif
#if defined(CASE_PASSES_TWICE)
    ROW({ "more", "What goes too.", NULL, AFF_MASK(AFF_FIELDS), 0, AFF_PASSES(0), AFF_PRIO_BULK, 0 }),
#endif
};
static const struct verdict_row verdicts[] = {
    ROW({ "no_signal", "Nothing was measured.", AFF_V_DROP, 0, 0 }),
#if defined(CASE_VERDICT_PORT)
    ROW({ "aside", "Goes aside.", AFF_V_PORT, 1, 0 }),
#else
    ROW({ "aside", "Goes aside.", AFF_V_PORT, 0, 0 }),
#endif
};
static const struct aff_metric metrics[] = {
    { "clipped", "Values that did not fit.", "records", AFF_METRIC_COUNTER, 0 },
};

static aff_status fixture_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self;
    *ret_taken = batch->count;
    return AFF_OK;
}

#if defined(CASE_NOTE_MAJOR)
#undef AFF_ABI_MAJOR
#define AFF_ABI_MAJOR CASE_NOTE_MAJOR
#endif
#if defined(CASE_NOTE_NAME)
AFF_PLUGIN_NOTE(AFF_PROCESSOR, CASE_NOTE_NAME, "1.2.3");
#elif !defined(CASE_NO_NOTE)
AFF_PLUGIN_NOTE(AFF_PROCESSOR, NAME, "1.2.3");
#endif

#if defined(CASE_SMALL)
#define STRUCT_SIZE ((uint32_t)offsetof(struct aff_plugin, wake))
#elif defined(CASE_LARGE)
#define STRUCT_SIZE ((uint32_t)sizeof(struct newer))
#elif defined(CASE_STRUCT_SIZE)
#define STRUCT_SIZE CASE_STRUCT_SIZE
#else
#define STRUCT_SIZE ((uint32_t)sizeof(struct aff_plugin))
#endif
#if !defined(CASE_MAJOR)
#define CASE_MAJOR 1
#endif
#if !defined(CASE_MINOR)
#define CASE_MINOR 0
#endif

#define CONSTANT {                                                          \
    .struct_size = STRUCT_SIZE, .major = CASE_MAJOR, .minor = CASE_MINOR,   \
    .kind = AFF_PROCESSOR, .name = NAME, .version = "1.2.3",                \
    .summary = "Does nothing well.", .license = "Apache-2.0",               \
    .config_size = sizeof(struct config), .options = OPTIONS,               \
    .inputs = AFF_TABLE(inputs), .outputs = AFF_TABLE(outputs),             \
    .verdicts = AFF_TABLE(verdicts), .metrics = AFF_TABLE(metrics),         \
    .process = PROCESS,                                                     \
}
#if defined(CASE_NO_PROCESS)
#define PROCESS NULL
#elif defined(CASE_WILD_PROCESS)
#define PROCESS (aff_status(*)(void *, const struct aff_batch *, uint32_t *))0x4141
#else
#define PROCESS fixture_process
#endif
#if defined(CASE_WILD_TABLE)
#define OPTIONS { (const void *)0x4141414141ul, 5, sizeof(struct aff_option) }
#elif defined(CASE_COUNT)
#define OPTIONS { options, 0xffffffffu, sizeof(struct aff_option) }
#elif defined(CASE_STRIDE)
#define OPTIONS { options, 1, 8 }
#elif defined(CASE_NARROW)
/* Rows as a header without choices and nested tables would have had them. */
#define OPTIONS { narrow, 2, sizeof narrow[0] }
struct narrow {
    const char *name, *doc, *unit, *preset;
    uint16_t type, flags;
    uint32_t offset;
    double min, max;
};
static const struct narrow narrow[] = {
    { "factor", "By what.", "1", "2.0", AFF_TYPE_REAL, 0, offsetof(struct config, factor), 0.0, 100.0 },
    { "wait_ns", "How long.", NULL, "\"1s\"", AFF_TYPE_DURATION, 0, offsetof(struct config, wait_ns), 1.0, -1.0 },
};
#else
#define OPTIONS AFF_TABLE(options)
#endif

#if defined(CASE_LARGE)
struct newer {
    struct aff_plugin old;
    void *more[8];
};
extern AFF_EXPORT const struct newer newer_constant __asm__("afferent_plugin_v1");
AFF_EXPORT const struct newer newer_constant = { .old = CONSTANT };
#elif !defined(CASE_NO_CONSTANT)
AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = CONSTANT;
#endif

#if defined(CASE_NO_LIBRARY)
extern void nobody_has_this(void);
__attribute__((constructor)) static void begin(void) { nobody_has_this(); }
#elif defined(CASE_COUNTS)
/* Says that it ran: one byte in the file that the test names. */
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FIXTURE_COUNT");
    FILE *file = path ? fopen(path, "a") : NULL;

    if (file) {
        fputc('x', file);
        fclose(file);
    }
    abort();
}
#elif defined(CASE_ABORT)
__attribute__((constructor)) static void begin(void) { abort(); }
#elif defined(CASE_SEGV)
__attribute__((constructor)) static void begin(void) { raise(SIGSEGV); }
#elif defined(CASE_LOOP)
__attribute__((constructor)) static void begin(void) { for (volatile int i = 1; i;) { } }
#elif defined(CASE_EXIT)
__attribute__((constructor)) static void begin(void) { exit(0); }
#elif defined(CASE_STDOUT)
__attribute__((constructor)) static void begin(void) { puts("hello from a constructor"); }
#elif defined(CASE_FORK)
__attribute__((constructor)) static void begin(void) { if (fork() == 0) { for (;;) pause(); } }
#elif defined(CASE_LEAVE)
__attribute__((destructor)) static void end(void) { abort(); }
#endif
