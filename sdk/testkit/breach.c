/* SPDX-License-Identifier: Apache-2.0
 *
 * breach.c - how a test ends: breaches, misuse, skips; what stands at its edges.
 *
 * A breach is a sentence about the plugin, a misuse one about the test. Both end
 * the running cmocka test at once: a plugin that broke one rule is not asked
 * further. The place shown is the last EXPECT before it, which is near enough to
 * find the step that came after.
 *
 * Not here: which rules there are; each is checked where its data is. */
#include "kit.h"

#include <stdio.h>
#include <unistd.h>

static struct {
    void (*handler)(const char *sentence);
    const char *file;
    int line;
    const char *test;
    struct aff_harness *open; /* list */
} kit = { NULL, "testkit", 1, "?", NULL };

static const char *const callback_names[] = {
    "", "validate", "shape", "open", "close", "query_open", "query_next", "query_close", "start", "stop",
    "read", "process", "write", "sync", "committed", "wake", "timer", "stream_end", "drain", "snapshot", "restore",
    "flush",
};

const char *callback_name(enum callback callback)
{
    return callback_names[callback];
}

static void sentence_end(const char *sentence) __attribute__((noreturn));
static void sentence_end(const char *sentence)
{
    if (kit.handler)
        kit.handler(sentence);
    print_error("%s\n", sentence);
    _fail(kit.file, kit.line);
    abort();
}

void kit_breach(const struct aff_harness *h, const char *format, ...)
{
    char sentence[700];
    int n = 0;
    va_list args;

    if (h)
        n = snprintf(sentence, sizeof sentence, "%s: %s%s", h->plugin.name ? h->plugin.name : "plugin",
                     callback_name(h->callback), h->callback ? ": " : "");
    va_start(args, format);
    (void)vsnprintf(sentence + n, sizeof sentence - (size_t)n, format, args);
    va_end(args);
    sentence_end(sentence);
}

void kit_misuse(const char *format, ...)
{
    char sentence[700];
    int n = snprintf(sentence, sizeof sentence, "test: ");
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence + n, sizeof sentence - (size_t)n, format, args);
    va_end(args);
    sentence_end(sentence);
}

void *kit_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);

    if (!memory)
        kit_misuse("the test itself has no memory left (%zu bytes)", size);
    return memory;
}

void *kit_grow(void *array, size_t count, size_t *room, size_t item)
{
    if (count < *room)
        return array;
    *room = count < 8 ? 8 : count * 2;
    array = realloc(array, *room * item);
    if (!array)
        kit_misuse("the test itself has no memory left (%zu items)", *room);
    return array;
}

char *kit_copy(const char *text)
{
    char *copy = kit_alloc(strlen(text) + 1);

    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

void harness_register(struct aff_harness *h)
{
    h->next = kit.open;
    kit.open = h;
}

void harness_forget(struct aff_harness *h)
{
    struct aff_harness **at = &kit.open;

    while (*at && *at != h)
        at = &(*at)->next;
    if (*at)
        *at = h->next;
    if (!kit.open)
        guard_release_all();
}

/* Only pointers are compared: a table of a closed harness is not read. */
struct aff_harness *host_enter(const struct aff_host *host, const char *call)
{
    struct aff_harness *h = kit.open;

    while (h && &h->host != host)
        h = h->next;
    if (!h)
        kit_breach(NULL, "plugin: host->%s was called with a table that is not the one given to open, "
                         "or after close", call);
    if (!pthread_equal(h->thread, pthread_self())) {
        print_error("%s: host->%s was called from another thread than the callbacks'\n", h->plugin.name, call);
        abort();
    }
    if (h->callback == CB_NONE || h->callback == CB_VALIDATE || h->callback == CB_SHAPE)
        kit_breach(h, "host->%s was called outside of a callback that may", call);
    return h;
}

void aff_test_on_breach(void (*handler)(const char *sentence))
{
    kit.handler = handler;
}

void aff_test_place(const char *file, int line)
{
    kit.file = file;
    kit.line = line;
}

/* A test that failed leaves its harness behind; the next one starts clean. */
void aff_test_begin(const char *name)
{
    kit.test = name;
    kit.open = NULL;
    aff_test_place(name, 1);
    faults_reset();
}

void aff_test_end(void)
{
    if (kit.open)
        kit_misuse("a harness was left open; expected aff_harness_close at the end of the test");
}

void aff_test_skip(const char *why, const char *file, int line)
{
    printf("SKIP %s: %s\n", kit.test, why);
    (void)fflush(stdout);
    kit.open = NULL;
    _skip(file, line);
    abort(); /* it does not come back */
}

int aff_test_run(const struct CMUnitTest *const *tests, size_t count)
{
    struct CMUnitTest *list = kit_alloc(count * sizeof *list);
    size_t i;
    int failed;

    for (i = 0; i < count; i++)
        list[i] = *tests[i];
    failed = _cmocka_run_group_tests("tests", list, count, NULL, NULL);
    free(list);
    return failed ? 1 : 0;
}

const char *aff_test_data(const char *name)
{
    static char path[1024];
    const char *data = getenv("AFFERENT_DATA"), *source = getenv("AFFERENT_SRCDIR");

    if (data && data[0])
        (void)snprintf(path, sizeof path, "%s/%s", data, name);
    else
        (void)snprintf(path, sizeof path, "%s/../shared/data/%s", source && source[0] ? source : ".", name);
    return access(path, R_OK) == 0 ? path : NULL;
}
