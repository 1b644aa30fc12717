/* booth.c - see booth.h. */
#include "booth.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

void booth_know(const struct aff_plugin *constant)
{
    cell_child_know(constant);
}

static void plugin_find(struct booth *b, const struct aff_plugin *constant)
{
    const char *why = "";

    memset(b, 0, sizeof *b);
    stage_begin(&b->stage);
    b->plugins = plugins_open(NULL, 0);
    assert_non_null(b->plugins);
    if (!plugins_add(b->plugins, constant, &why))
        fail_msg("%s", why);
    b->plugin = plugins_find(b->plugins, constant->name, &why);
    assert_non_null(b->plugin);
}

void booth_prepare(struct booth *b, const struct aff_plugin *constant, const void *config, const struct cell_options *options)
{
    struct cell_options o = options ? *options : (struct cell_options){ 0 };
    char why[256];

    plugin_find(b, constant);
    o.node = "node";
    o.max_held = STAGE_HELD;
    o.max_payload = o.max_payload ? o.max_payload : 100000;
    b->cell = cell_open(b->plugin, config, &o, why, sizeof why);
    if (!b->cell)
        fail_msg("%s", why);
    b->about = cell_plugin(b->cell);
}

void booth_begin(struct booth *b, const struct aff_plugin *constant, const void *config, const struct cell_options *options)
{
    aff_status st;

    booth_prepare(b, constant, config, options);
    st = stage_open(&b->stage, b->about, cell_config(b->cell));
    if (st != AFF_OK)
        fail_msg("open: %d %s", st, b->stage.why);
}

void booth_file(struct booth *b, const char *folder, const char *name, const void *config)
{
    struct cell_options o = { .node = "node", .max_held = STAGE_HELD, .max_payload = 100000 };
    const char *why = "";
    char words[256];

    memset(b, 0, sizeof *b);
    stage_begin(&b->stage);
    b->plugins = plugins_open(&folder, 1);
    assert_non_null(b->plugins);
    b->plugin = plugins_find(b->plugins, name, &why);
    if (!b->plugin)
        fail_msg("%s", why);
    assert_non_null(b->plugin->image);
    b->cell = cell_open(b->plugin, config, &o, words, sizeof words);
    if (!b->cell)
        fail_msg("%s", words);
    b->about = cell_plugin(b->cell);
    assert_int_equal(stage_open(&b->stage, b->about, cell_config(b->cell)), AFF_OK);
}

void booth_thread(struct booth *b, const struct aff_plugin *constant, const void *config)
{
    plugin_find(b, constant);
    b->about = &b->plugin->about;
    assert_int_equal(stage_open(&b->stage, b->about, config), AFF_OK);
}

void booth_run(struct booth *b, uint32_t count, uint32_t batch, void (*actions)(struct stage_payload *, uint32_t))
{
    struct stage_payload *p;
    struct aff_record *r = stage_records(&b->stage, count, &p);
    uint32_t at, step = b->kill_every ? b->kill_every * batch : count;
    aff_status st = AFF_OK;

    actions(p, count);
    for (at = 0; at < count; at += step) {
        if (at > 0 && b->kill_every)
            booth_kill(b);
        if (!stage_feed(&b->stage, r + at, count - at < step ? count - at : step, batch, &st))
            fail_msg("gave up: %d %s", st, b->stage.why);
    }
    if (b->about->drain)
        assert_int_equal(stage_call(&b->stage, stage_drain), AFF_OK);
    free(r);
    free(p);
    booth_figures(b);
}

void booth_figures(struct booth *b)
{
    if (b->cell)
        cell_figures(b->cell, &b->figures);
}

/* As anybody could; and it is over before this returns. */
void booth_kill(struct booth *b)
{
    char path[64];

    booth_figures(b);
    assert_true(b->figures.pid > 0);
    kill(b->figures.pid, SIGKILL);
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", b->figures.pid, b->figures.pid);
    for (int i = 0; i < 60000; i++) {
        FILE *f;
        char line[256] = "";

        snprintf(path, sizeof path, "/proc/%d/stat", b->figures.pid);
        f = fopen(path, "r");
        if (!f)
            break;
        if (!fgets(line, sizeof line, f))
            line[0] = '\0';
        fclose(f);
        if (strstr(line, ") Z "))
            break;
        usleep(1000);
    }
}

void booth_stop(struct booth *b)
{
    stage_close(&b->stage);
    booth_figures(b);
}

void booth_end(struct booth *b)
{
    cell_close(&b->cell);
    plugins_close(&b->plugins);
    stage_end(&b->stage);
}
