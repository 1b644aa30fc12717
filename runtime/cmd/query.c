/* query.c - `afferent query`: prints what a pipeline has archived.
 *
 * The pipeline file says which plugin archived it and where; that plugin reads,
 * and this prints. It may run while the pipeline does.
 *
 * Not here: the archive's format (its plugin), printing (show/). */
#include <afferent/plugin.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/opened.h"
#include "cmd/verbs.h"
#include "flow/query_host.h"
#include "show/answer.h"
#include "show/catalogue.h"
#include "show/lines.h"
#include "show/when.h"

struct query {
    struct opened opened;
    const char *node_name;
    const char *schema; /* its name; NULL: all */
    const char *from;
    const char *to;
    bool list;
    struct aff_query wanted;
    struct answer answer;
    struct catalogue catalogue;
    int format;
    const struct plan_node *node;
    struct aff_host *host;
    void *cursor;
    uint64_t damaged;
};

static const char *const formats[] = { "table", "csv", "json", NULL };

static const char examples[] =
    "  afferent query bedside.toml --list                        which subjects and streams\n"
    "  afferent query bedside.toml --schema beats --limit 20     the first 20 beats\n"
    "  afferent query bedside.toml --from 10s --to 20s           by time since 1970\n"
    "  afferent query bedside.toml --from 2026-03-01T07:30:00Z   or by date\n"
    "  afferent query bedside.toml --samples --format csv        every sample, in its unit\n";

static const char more[] =
    "Times are RFC 3339 (UTC unless an offset is given), or time since 1970 with its\n"
    "unit (\"90s\"), or whole seconds. A table of several schemas has their values as\n"
    "text; --schema gives each value its column. In CSV a blank line stands before new\n"
    "columns. JSON is one document a line.\n\n"
    "Exit codes: 0 done, 1 something damaged was stepped over, 2 bad usage, 3 the\n"
    "archive cannot be read.\n";

static int arguments(struct query *q, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "node", ARGS_TEXT, &q->node_name, "NAME", "Which archive, where the pipeline has several.", NULL },
        { "subject", ARGS_TEXT, &q->wanted.subject, "NAME", "Only this subject.", NULL },
        { "stream", ARGS_TEXT, &q->wanted.stream, "NAME", "Only this stream.", NULL },
        { "schema", ARGS_TEXT, &q->schema, "NAME", "Only records of this schema, such as beats.", NULL },
        { "from", ARGS_TEXT, &q->from, "TIME", "From this time of the data on.", NULL },
        { "to", ARGS_TEXT, &q->to, "TIME", "Up to this time, not with it.", NULL },
        { "format", ARGS_CHOICE, &q->format, "table|csv|json", "How it is printed; a table by default.", formats },
        { "limit", ARGS_COUNT, &q->answer.room, "N", "Ends after N lines of data.", NULL },
        { "list", ARGS_SWITCH, &q->list, NULL, "Lists the streams that are there, not their records.", NULL },
        { "samples", ARGS_SWITCH, &q->answer.samples, NULL, "Prints every sample of the signals, not a line a record.", NULL },
        OPENED_FLAGS(q->opened),
    };
    const struct args_about about = {
        .verb = "query",
        .operands = "PIPELINE.toml",
        .summary = "prints what a pipeline has archived",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    return args_read(&about, argc, argv, &q->opened.operands);
}

static int read_time(const char *flag, const char *text, int64_t *ret_ns)
{
    if (!text || when_read(text, ret_ns))
        return -1;
    fprintf(stderr, "afferent query: --%s %s: it is no time; expected \"2026-03-01T07:30:00Z\", or time since "
            "1970 such as \"90s\"\n", flag, text);
    return EXIT_USAGE;
}

/* ---- which archive ---- */

static bool is_archive(const struct plan_node *node)
{
    const struct aff_plugin *about = &node->plugin->about;

    return (about->flags & AFF_ARCHIVE) && about->query_open && about->query_next && about->query_close;
}

static int no_archive(const struct query *q)
{
    const struct plan *plan = q->opened.plan;
    const char *between = "";

    if (q->node_name)
        fprintf(stderr, "%s: error: there is no archive \"%s\"", q->opened.file, q->node_name);
    else
        fprintf(stderr, "%s: error: it has several archives or none", q->opened.file);
    fputs("; expected --node with one of: ", stderr);
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (is_archive(&plan->nodes[i])) {
            fprintf(stderr, "%s%s", between, plan->nodes[i].name);
            between = ", ";
        }
    fputs(*between ? "\n" : "none: no sink of this pipeline can be read back\n", stderr);
    return EXIT_USAGE;
}

static int find_archive(struct query *q)
{
    const struct plan *plan = q->opened.plan;
    uint32_t found = 0;

    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *n = &plan->nodes[i];

        if (!is_archive(n) || (q->node_name && strcmp(q->node_name, n->name) != 0))
            continue;
        q->node = n;
        found++;
    }
    return found == 1 ? -1 : no_archive(q);
}

/* ---- reading ---- */

enum { LOOKED_AT = 64 };

static bool is_wanted(const struct query *q, const struct aff_record *record)
{
    const struct aff_schema *schema = record->schema ? q->host->schema_info(q->host, record->schema) : NULL;

    return !q->schema || (schema && schema->name && strcmp(schema->name, q->schema) == 0);
}

/* Whether a table would have to name its columns anew at every other line: the
 * first records tell, nearly always. */
static bool is_mixed(const struct query *q)
{
    const struct aff_plugin *about = &q->node->plugin->about;
    struct aff_record record;
    uint32_t schema = 0;
    bool mixed = false;
    void *cursor;

    if (about->query_open(q->host, q->node->config, &q->wanted, &cursor) < 0)
        return false;
    for (int i = 0; i < LOOKED_AT && !mixed && about->query_next(cursor, &record) == AFF_OK; i++) {
        if (!is_wanted(q, &record))
            continue;
        mixed = schema && record.schema != schema;
        schema = record.schema;
    }
    about->query_close(cursor);
    return mixed;
}

static int read_failed(const struct query *q, aff_status status)
{
    const char *why = query_host_why(q->host);

    fprintf(stderr, "%s: error: [%s] %s\n", q->opened.file, q->node->name, *why ? why : "it cannot be read");
    if (status == AFF_ERR_IO)
        fprintf(stderr, "  if nothing was archived yet: afferent run %s\n", q->opened.file);
    return status == AFF_ERR_CONFIG ? EXIT_USAGE : EXIT_ERROR;
}

static void one_record(struct query *q, const struct aff_record *record)
{
    if (!is_wanted(q, record))
        return;
    if (q->list)
        catalogue_record(&q->catalogue, q->host, record);
    else if (!answer_record(&q->answer, q->host, record))
        q->damaged++;
}

/* A damaged value is stepped over and counted: what is good is still printed.
 * Who reads our output may stop: then there is nobody to read on for. */
static aff_status read_all(struct query *q)
{
    const struct aff_plugin *about = &q->node->plugin->about;
    struct aff_record record;

    while (q->answer.room > 0 && !ferror(stdout)) {
        aff_status st = about->query_next(q->cursor, &record);

        if (st == AFF_END)
            return AFF_OK;
        if (st == AFF_ERR_DATA)
            q->damaged++;
        else if (st < 0)
            return st;
        else
            one_record(q, &record);
    }
    return AFF_OK;
}

static int print_all(struct query *q)
{
    const struct aff_plugin *about = &q->node->plugin->about;
    aff_status st;
    bool whole;

    q->answer.mixed = q->format == ANSWER_TABLE && !q->answer.samples && is_mixed(q);
    st = about->query_open(q->host, q->node->config, &q->wanted, &q->cursor);
    if (st < 0)
        return read_failed(q, st);
    st = read_all(q);
    about->query_close(q->cursor);
    whole = q->list ? catalogue_close(&q->catalogue) : answer_close(&q->answer);
    if (st < 0)
        return read_failed(q, st);
    if (!whole) {
        fputs("afferent query: there is no memory: lines are missing\n", stderr);
        return EXIT_ERROR;
    }
    if (q->damaged == 0)
        return EXIT_DONE;
    fprintf(stderr, "%s: [%s] %" PRIu64 " damaged values or pages were stepped over; the rest is printed\n",
            q->opened.file, q->node->name, q->damaged);
    return EXIT_WRONG;
}

static int query_run(struct query *q)
{
    struct lines *lines = lines_open(AFF_LOG_WARN);
    int code = EXIT_ERROR;

    q->answer.format = (enum answer_format)q->format;
    q->answer.out = stdout;
    q->catalogue.answer = &q->answer;
    q->host = lines ? query_host_open(q->node->name, lines_log, lines) : NULL;
    if (q->host)
        code = print_all(q);
    else
        fputs("afferent: there is no memory\n", stderr);
    query_host_close(&q->host);
    lines_close(&lines);
    return code;
}

int verb_query(int argc, char **argv)
{
    struct query q = { .wanted = { .struct_size = sizeof q.wanted, .from_ns = INT64_MIN, .to_ns = INT64_MAX },
                       .answer = { .room = UINT64_MAX } };
    int code = arguments(&q, argc, argv);

    if (code < 0)
        code = read_time("from", q.from, &q.wanted.from_ns);
    if (code < 0)
        code = read_time("to", q.to, &q.wanted.to_ns);
    if (code < 0)
        code = opened_need(&q.opened);
    if (code < 0)
        code = find_archive(&q);
    if (code < 0)
        code = query_run(&q);
    opened_close(&q.opened);
    return code;
}
