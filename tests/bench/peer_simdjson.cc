/* peer_simdjson.cc - the library alone: every value of every line of a JSON lines
 * file, from memory, numbers as doubles, texts unescaped.
 *
 * `peer_simdjson FILE` is what bench_text compares with; started by the driver
 * without a file it measures nothing. */
#include <cstdio>
#include <simdjson.h>

using namespace simdjson;

static double value_sum(ondemand::value value)
{
    switch (value.type()) {
    case ondemand::json_type::number:
        return value.get_double();
    case ondemand::json_type::string:
        return double(std::string_view(value.get_string()).size());
    case ondemand::json_type::boolean:
        return bool(value.get_bool());
    default:
        return 0;
    }
}

int main(int argc, char **argv)
{
    double sum = 0;
    size_t rows = 0;

    if (argc < 2)
        return 0;
    try {
        padded_string text = padded_string::load(argv[1]);
        ondemand::parser parser;
        ondemand::document_stream lines = parser.iterate_many(text);

        for (auto line : lines) {
            for (auto field : line.get_object())
                sum += value_sum(field.value());
            rows++;
        }
    } catch (const simdjson_error &error) {
        std::fprintf(stderr, "peer_simdjson: %s\n", error.what());
        return 1;
    }
    std::printf("%zu rows, %g\n", rows, sum);
    return 0;
}
