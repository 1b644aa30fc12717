/* booth.h - a stage with a cell on it: what the tests of cells share. */
#ifndef AFFERENT_TESTS_BOOTH_H
#define AFFERENT_TESTS_BOOTH_H

#include "cell/cell.h"
#include "stage.h"

struct booth {
    struct stage stage;
    struct plugins *plugins;
    const struct plugin *plugin;
    const struct aff_plugin *about;
    struct cell *cell; /* NULL: a thread */
    struct cell_figures figures;
    uint32_t kill_every; /* kills the child before each n-th feed */
};

/* Plugins linked in, also for the children of this program. */
void booth_know(const struct aff_plugin *constant);

/* All fail the test where something goes wrong that should not. */
void booth_prepare(struct booth *b, const struct aff_plugin *constant, const void *config, const struct cell_options *options);
void booth_begin(struct booth *b, const struct aff_plugin *constant, const void *config, const struct cell_options *options);
/* The same with a file NAME.so of a folder. */
void booth_file(struct booth *b, const char *folder, const char *name, const void *config);
void booth_thread(struct booth *b, const struct aff_plugin *constant, const void *config);
/* Feeds records, with the actions that `actions` sets; then drains. */
void booth_run(struct booth *b, uint32_t records, uint32_t batch, void (*actions)(struct stage_payload *, uint32_t));
void booth_kill(struct booth *b);
void booth_figures(struct booth *b);
void booth_stop(struct booth *b);
void booth_end(struct booth *b);

#endif
