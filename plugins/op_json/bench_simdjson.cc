/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_simdjson.cc - what simdjson alone does with a file of JSON lines: its own
 * loop over documents (batches), six fields of each as doubles; the same, one
 * parse a line; the best of five.
 *
 *     bench_simdjson vitals.jsonl       as written by bench_rows --write */
#include <time.h>

#include <cstdio>
#include <cstring>

#include <simdjson.h>

namespace od = simdjson::ondemand;

static const char *const keys[] = { "heart_rate", "spo2", "respiratory_rate", "systolic", "diastolic", "temperature" };

template <typename Document> static double fields(Document &doc)
{
    double sum = 0, value;

    for (const char *key : keys)
        if (!doc[key].get_double().get(value))
            sum += value;
    return sum;
}

static double batches(const simdjson::padded_string &text)
{
    od::parser parser;
    od::document_stream stream;
    double sum = 0;

    if (parser.iterate_many(text, 1 << 20).get(stream))
        return -1;
    for (auto doc : stream)
        sum += fields(doc);
    return sum;
}

static double lines(const simdjson::padded_string &text)
{
    od::parser parser;
    double sum = 0;
    const char *at = text.data(), *end = at + text.size();

    while (at < end) {
        const char *line = static_cast<const char *>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
        size_t size = static_cast<size_t>((line ? line : end) - at);
        od::document doc;

        if (!parser.iterate(at, size, size + simdjson::SIMDJSON_PADDING).get(doc))
            sum += fields(doc);
        at += size + 1;
    }
    return sum;
}

static double now_s()
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

template <typename Read> static void measure(const char *name, const simdjson::padded_string &text, Read read)
{
    double best = 1e9, sum = 0;

    for (int i = 0; i < 5; i++) {
        double began = now_s(), took;

        sum = read(text);
        took = now_s() - began;
        best = took < best ? took : best;
    }
    std::printf("%s\t%.1f\tMB/s\n", name, static_cast<double>(text.size()) / best / 1e6);
    std::fprintf(stderr, "# sum %.1f\n", sum);
}

int main(int argc, char **argv)
{
    simdjson::padded_string text;

    if (argc != 2 || simdjson::padded_string::load(argv[1]).get(text))
        return 2;
    measure("simdjson_batches", text, batches);
    measure("simdjson_lines", text, lines);
    return 0;
}
