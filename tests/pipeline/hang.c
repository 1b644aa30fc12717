/* hang.c - a sink that does not come back while a file exists. Built by service.py. */
#include <afferent/plugin.h>

#include <unistd.h>

struct config {
    const char *path;
};

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, path, AFF_OPT_REQUIRED, NULL, "While this exists no call returns."),
};
static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
};

static aff_status hang_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct sink *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    *ret_self = s;
    return AFF_OK;
}

static void hang_close(void *self)
{
    struct sink *s = self;

    s->host->free(s->host, s);
}

static aff_status hang_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct sink *s = self;

    while (access(s->config->path, F_OK) == 0)
        usleep(10000);
    *ret_taken = batch->count;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_hang", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SINK,
    .name = "out_hang",
    .version = "1.0.0",
    .summary = "Takes everything, and hangs when it is told to.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .flags = AFF_STAYS,
    .inputs = AFF_TABLE(inputs),
    .open = hang_open,
    .close = hang_close,
    .write = hang_write,
};
