/* out_null.c - takes everything and keeps nothing; for measuring and for proof.
 *
 * `look` says how much of a record it reads: nothing; all of it, into a digest
 * that does not depend on the order; or what in_null says in it, which shows
 * records that were changed, and records that lie elsewhere than where their
 * source put them (a copy).
 */
#include <afferent/plugin.h>

#include "stamp.h"

struct config {
    int32_t look;
};

enum { LOOK_NOTHING, LOOK_DIGEST, LOOK_STAMP };
static const char *const looks[] = { "nothing", "digest", "stamp", NULL };

static const struct aff_option options[] = {
    AFF_OPT_ENUM(struct config, look, 0, "\"nothing\"", looks,
                 "What is read of each record: nothing, all for a digest, or the stamp of in_null."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

enum { METRIC_RECORDS, METRIC_BYTES, METRIC_DIGEST, METRIC_MOVED, METRIC_BROKEN };
static const struct aff_metric metrics[] = {
    { "records", "Records taken.", "records", AFF_METRIC_COUNTER, 0 },
    { "bytes", "Bytes of their payloads.", "bytes", AFF_METRIC_COUNTER, 0 },
    { "digest", "Sum of 32-bit hashes of id, event time and payload; the order does not matter.", NULL,
      AFF_METRIC_COUNTER, 0 },
    { "moved", "Records that lie elsewhere than where in_null put them.", "records", AFF_METRIC_COUNTER, 0 },
    { "broken", "Records that are not what in_null made.", "records", AFF_METRIC_COUNTER, 0 },
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
};

static aff_status null_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct sink *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    *ret_self = s;
    return AFF_OK;
}

static void null_close(void *self)
{
    struct sink *s = self;

    s->host->free(s->host, s);
}

static uint64_t mix(uint64_t sum, uint64_t word)
{
    return stamp_word(sum ^ word, 1);
}

/* Not cryptographic: it finds accidents. */
static uint64_t record_digest(const struct aff_record *r)
{
    const uint8_t *at = r->data;
    uint32_t left = r->size;
    uint64_t sum = mix(mix(mix(r->size, r->id.source), r->id.seq), (uint64_t)r->event_ns), word;

    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        sum = mix(sum, word);
    }
    word = 0;
    if (left)
        memcpy(&word, at, left);
    return mix(sum, word) >> 32;
}

/* Whether the record is as it was made; *ret_moved: but elsewhere. A payload
 * that was not filled has nothing behind its stamp to look at. */
static int stamp_check(const struct aff_record *r, uint64_t *ret_moved)
{
    const uint64_t *words = r->data;
    uint32_t i;

    *ret_moved = 0;
    if (r->size < STAMP_BYTES)
        return 0;
    *ret_moved = words[1] != (uint64_t)(uintptr_t)r->data;
    if (r->size < STAMP_BYTES + 8 || words[2] != stamp_word(words[0], 2))
        return r->id.seq == words[0];
    for (i = 3; i < r->size / 8; i++)
        if (words[i] != stamp_word(words[0], i))
            return 0;
    return r->id.seq == words[0];
}

static aff_status null_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct sink *s = self;
    uint64_t bytes = 0, digest = 0, all_moved = 0, broken = 0, moved;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++) {
        const struct aff_record *r = &batch->records[i];

        bytes += r->size;
        if (s->config->look == LOOK_DIGEST)
            digest += record_digest(r);
        if (s->config->look == LOOK_STAMP) {
            broken += !stamp_check(r, &moved);
            all_moved += moved;
        }
    }
    s->host->count(s->host, METRIC_RECORDS, batch->count);
    s->host->count(s->host, METRIC_BYTES, bytes);
    if (s->config->look == LOOK_DIGEST)
        s->host->count(s->host, METRIC_DIGEST, digest);
    if (s->config->look == LOOK_STAMP) {
        s->host->count(s->host, METRIC_MOVED, all_moved);
        s->host->count(s->host, METRIC_BROKEN, broken);
    }
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_null", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SINK,
    .flags = AFF_STAYS,
    .name = "out_null",
    .version = "1.0.0",
    .summary = "Takes everything and keeps nothing, for measuring.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_TABLE(metrics),
    .open = null_open,
    .close = null_close,
    .write = null_write,
};
