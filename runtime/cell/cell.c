/* cell.c - opening, closing and describing a cell. See cell.h. */
#include "cell/cell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell/confine.h"
#include "cell/inside.h"

#define SECOND ((int64_t)1000000000)
#define PAYLOAD_MOST ((uint64_t)1 << 30)
enum { CELL_MAGIC = 0x43454c4c, MEMORY_MIB = 512, PAYLOAD_BYTES = 1 << 20 };

static uint64_t payload_of(uint64_t max_payload)
{
    uint64_t bytes = max_payload > 0 ? max_payload : PAYLOAD_BYTES;

    return bytes < PAYLOAD_MOST ? bytes : PAYLOAD_MOST;
}

uint64_t cell_in_bytes(uint64_t max_payload)
{
    return 2 * max_payload > 1u << 20 ? 2 * max_payload : 1u << 20;
}

uint64_t cell_area_bytes(uint64_t in_bytes, uint64_t max_payload)
{
    return in_bytes + 2 * (max_payload + PAGE_SLACK) + PAGE_BATCH * 128u;
}

uint64_t cell_shared_bytes(uint64_t max_payload)
{
    uint64_t payload = payload_of(max_payload), in = cell_in_bytes(payload);

    return HOST_IN_AT + CHILD_AREA_AT + in + 2 * cell_area_bytes(in, payload) + PAGE_ASK; /* and the host's copy of the area */
}

static void options_fill(struct cell *cell, const struct cell_options *options)
{
    struct cell_options *o = &cell->options;

    *o = *options;
    snprintf(cell->node, sizeof cell->node, "%s", options->node ? options->node : "?");
    o->node = cell->node;
    o->call_ns = o->call_ns > 0 ? o->call_ns : 5 * SECOND;
    o->open_ns = o->open_ns > 0 ? o->open_ns : 10 * SECOND;
    o->memory_bytes = o->memory_bytes > 0 ? o->memory_bytes : (uint64_t)MEMORY_MIB << 20;
    o->max_payload = payload_of(o->max_payload);
}

/* What the plugin may need of the system, as far as its table and its options say:
 * see confine.h. */
static bool profile_choose(struct cell *cell)
{
    struct paths paths;
    bool ok;

    paths_list(&paths, cell->plugin, cell->config);
    cell->profile = paths_profile(&paths, &cell->plugin->about);
    ok = !paths.folders.failed && !paths.devices.failed;
    paths_free(&paths);
    return ok;
}

struct cell *cell_open(const struct plugin *plugin, const void *config, const struct cell_options *options,
                       char *why, size_t room)
{
    struct cell *cell = calloc(1, sizeof *cell);

    if (cell && getenv(CELL_MARK)) {
        snprintf(why, room, "this program is itself a child of a host; its main was expected to begin with "
                            "cell_child_asked (cell/cell.h)");
        free(cell);
        return NULL;
    }
    if (cell) {
        *cell = (struct cell){ .magic = CELL_MAGIC, .plugin = plugin, .config = config, .child.pidfd = -1 };
        cell->pages = (struct pages){ .host_fd = -1, .child_fd = -1, .state_fd = -1 };
        cell->wakes = (struct wakes){ .fd = -1, .child_fd = -1 };
        cell->links.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
        cell->is_exact = true;
        options_fill(cell, options);
        cell->question = malloc(PAGE_ASK);
    }
    if (!cell || !cell->question || !profile_choose(cell)) {
        snprintf(why, room, "no memory for a plugin in a process; free some and try again");
        cell_close(&cell);
        return NULL;
    }
    proxy_fill(&cell->about, plugin);
    return cell;
}

void cell_close(struct cell **cell)
{
    struct cell *c = *cell;

    if (!c)
        return;
    cell_down(c);
    replies_close(&c->replies);
    told_clear(&c->told);
    blob_free(&c->result);
    blob_free(&c->parts);
    blob_free(&c->snap);
    blob_free(&c->given);
    blob_free(&c->incarnation);
    unsynced_free(c);
    free(c->gaps);
    free(c->held);
    free(c->question);
    free(c);
    *cell = NULL;
}

const struct aff_plugin *cell_plugin(const struct cell *cell)
{
    return &cell->about;
}

const void *cell_config(const struct cell *cell)
{
    return cell;
}

void cell_log(const struct cell *cell, int level, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (cell->options.log)
        cell->options.log(cell->options.arg, level, text);
    else if (cell->host)
        cell->host->log(cell->host, level, "%s", text);
}

void cell_status(const struct cell *cell, char *text, size_t room)
{
    const struct confined *c = &cell->confined;
    const char *profile = profile_name(cell->profile);
    char landlock[64] = "no landlock: this kernel lacks it";
    struct cell_figures now;
    const char *down;

    cell_figures(cell, &now);
    down = now.pid > 0 || now.starts == 0 ? "" : now.is_parked ? ", parked" : ", down";
    if (!atomic_load_explicit(&cell->is_confined, memory_order_acquire)) {
        snprintf(text, room, "process%s; profile %s", now.starts > 0 ? down : ", not started", profile);
        return;
    }
    if (c->landlock && cell->profile & PROFILE_DEVICE)
        snprintf(landlock, sizeof landlock, "landlock %u folder%s and %u device%s", c->folders,
                 c->folders == 1 ? "" : "s", c->devices, c->devices == 1 ? "" : "s");
    else if (c->landlock)
        snprintf(landlock, sizeof landlock, "landlock %u folder%s", c->folders, c->folders == 1 ? "" : "s");
    snprintf(text, room, "process%s, %s%s, %s, no_new_privs%s", down, c->seccomp == 1 ? "seccomp " : "no seccomp: this kernel lacks it; wanted ",
             profile, landlock, c->capabilities ? ", no capabilities" : "");
}

void cell_figures(const struct cell *cell, struct cell_figures *ret)
{
#define GET(name) ret->name = atomic_load_explicit(&cell->figures.name, memory_order_relaxed)
    GET(calls);
    GET(starts);
    GET(ends);
    GET(hangs);
    GET(violations);
    GET(dead_letters);
    GET(bytes_isolated);
    GET(pid);
    GET(is_parked);
#undef GET
}
