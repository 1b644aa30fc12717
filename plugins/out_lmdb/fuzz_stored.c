/* fuzz_stored.c - hostile content behind a right checksum: values, runs and
 * schemas as a query meets them. What is read must fit, whatever it says.
 *
 * The first byte chooses; checksums are made right here, so that the fuzzer
 * gets behind them.
 */
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_run(const uint8_t *data, size_t size)
{
    static const struct archive_key first = { 1, 2, 3, { 4, 5 } };
    _Alignas(16) uint8_t payload[RUN_PAYLOAD];
    uint8_t copy[RUN_VALUE], key[KEY_BYTES];
    struct run_reader reader;
    struct run_record record;
    static struct run run;
    struct value v;

    if (size > sizeof copy || size < 8)
        return;
    memcpy(copy, data, size);
    key_write(key, &first);
    put_u64(copy, item_sum(DB_SAMPLES, key, KEY_BYTES, copy + 8, size - 8));
    if (!value_open(&v, DB_SAMPLES, key, copy, size) || !run_open(&reader, &first, &v))
        return;
    while (run_next(&reader, &record, payload) > 0)
        if (!aff_samples_ok(record.data, record.size))
            abort();
    if (!run_load(&run, &first, &v))
        return;
    /* What was read can be written: it gives the same records. */
    if (run_seal(&run, copy) > RUN_VALUE)
        abort();
}

static void fuzz_schema(const uint8_t *data, size_t size)
{
    struct aff_schema *schema, *again;
    char *text = malloc(size * 4 + 64);
    int memory;
    size_t length;

    if (!text)
        return;
    schema = schema_read((const char *)data, size, &memory);
    if (schema) {
        length = schema_write(text, size * 4 + 64, schema);
        again = length ? schema_read(text, length, &memory) : NULL;
        if (!again && !memory)
            abort();
        free(again);
    }
    free(schema);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (data[0] & 1)
        fuzz_schema(data + 1, size - 1);
    else
        fuzz_run(data + 1, size - 1);
    return 0;
}
