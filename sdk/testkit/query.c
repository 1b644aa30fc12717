/* SPDX-License-Identifier: Apache-2.0
 *
 * query.c - reads an archive back through its query_ callbacks.
 *
 * Works beside a running instance and without one, as `afferent query` does.
 *
 * Not here: what the archive should hold; the test compares. */
#include "kit.h"

static void record_keep(struct aff_harness *h, const struct aff_record *r)
{
    struct schema *schema = schema_get(h, r->schema);
    struct stream *stream = stream_get(h, r->stream);

    if (!schema || !stream || stream->info.subject != r->subject)
        kit_breach(h, "gave a record whose stream, subject or schema is not the host's");
    if (schema->info.type != r->type)
        kit_breach(h, "gave a record of type %u; its schema says %u", (unsigned)r->type, (unsigned)schema->info.type);
    if (r->type == AFF_SAMPLES && !aff_samples_ok(r->data, r->size))
        kit_breach(h, "gave samples that are not whole");
    output_add(h, h->plugin.outputs.count, r);
}

static void *query_begin(struct aff_harness *h, const struct aff_query *query)
{
    void *found = NULL;
    aff_status status;
    int again;

    do {
        call_begin(h, CB_QUERY_OPEN);
        status = h->plugin.query_open(&h->host, h->config, query, &found);
        again = call_end(h, status);
    } while (again);
    return status == AFF_OK ? found : NULL;
}

size_t aff_harness_query(struct aff_harness *h, const struct aff_query *query, size_t *ret_damaged)
{
    size_t count = 0, damaged = 0, blocks = h->block_count;
    struct aff_record record;
    aff_status status;
    void *found;

    if (!(h->plugin.flags & AFF_ARCHIVE))
        kit_misuse("%s is not an archive", h->plugin.name);
    found = query_begin(h, query);
    while (found) {
        memset(&record, 0, sizeof record);
        call_begin(h, CB_QUERY_NEXT);
        status = h->plugin.query_next(found, &record);
        if (status == AFF_OK)
            record_keep(h, &record);
        count += status == AFF_OK;
        damaged += status == AFF_ERR_DATA;
        if (!call_end(h, status) && status != AFF_OK && status != AFF_ERR_DATA)
            break;
    }
    h->is_over = 0;
    if (found) {
        call_begin(h, CB_QUERY_CLOSE);
        h->plugin.query_close(found);
        if (h->block_count != blocks)
            kit_breach(h, "left %zu blocks of host->alloc behind", h->block_count - blocks);
        h->callback = CB_NONE;
    }
    if (ret_damaged)
        *ret_damaged = damaged;
    return count;
}
