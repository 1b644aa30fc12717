/* out_file.c - records as lines of CSV or JSON, in one file or one per stream.
 *
 * One CSV file has one set of columns: a record with others is refused for its
 * content. Lines of JSON may differ. The end of an epoch is an fsync. A record
 * that comes twice is written twice: `ids` tells it apart.
 *
 * Not here: lines (rows.c), values (text.c), writing and resuming (file.c).
 */
#include <afferent/plugin.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "paths.h"
#include "text/rows.h"

enum { FILES = 64, PATH_ROOM = 4096, FLUSH_AT = 64 * 1024 };

struct config {
    const char *path;
    int32_t format;
    int32_t when_exists;
    int32_t ids;
};

static const char *const formats[] = { "csv", "jsonl", NULL };
static const char *const exists_ways[] = { "append", "replace", "refuse", NULL };

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, path, AFF_OPT_REQUIRED, NULL,
                 "The file, or \"-\" for stdout; {subject} and {stream} in its name make a file for each."),
    AFF_OPT_ENUM(struct config, format, 0, "\"csv\"", formats, "CSV with a header line, or a JSON object a line."),
    AFF_OPT_ENUM(struct config, when_exists, 0, "\"append\"", exists_ways,
                 "What happens to a file that is there already when the run begins."),
    AFF_OPT_BOOL(struct config, ids, "false", "Whether each line has the record's id, the same in every replay."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Records of any type; samples become a line for each sample.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE) },
};

enum { METRIC_BYTES, METRIC_FILES };
static const struct aff_metric metrics[] = {
    { "bytes", "Bytes of lines.", "bytes", AFF_METRIC_COUNTER, 0 },
    { "files", "Files that were opened.", "files", AFF_METRIC_COUNTER, 0 },
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
    enum text_style style;
    int named; /* the path has places for names */
    uint64_t tick;
    struct file files[FILES];
    /* Hashes of the paths opened so far: `replace` must not empty a file that
     * was closed for another and is opened again. */
    uint64_t *seen;
    size_t seen_count, seen_room;
    struct text first;
};

static aff_status file_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;

    if (path_has_names(c->path) >= 0)
        return AFF_OK;
    report->problem(report, "path", "{subject} or {stream} stands in the name of a folder; expected it in the "
                    "file's own name, since folders are made by people; move it there");
    return AFF_ERR_CONFIG;
}

static void file_close_all(void *self)
{
    struct sink *s = self;
    int i;

    for (i = 0; i < FILES; i++)
        if (s->files[i].path)
            file_close(&s->files[i]);
    text_free(&s->first);
    free(s->seen);
    s->host->free(s->host, s);
}

/* A file's trouble as a status; no path is quoted, it may hold a name. */
static aff_status sink_trouble(struct sink *s, const struct file *f, int rc)
{
    if (rc == EPIPE)
        return s->host->explain(s->host, AFF_ERR_CONFIG, "who reads this output has closed it");
    if (f->lost)
        return s->host->explain(s->host, AFF_ERR_IO, "the disk lost lines at a sync (%s); check it and start the run "
                                "again", strerror(rc));
    return s->host->explain(s->host, AFF_ERR_IO, "cannot write to the file: %s; nothing was lost and it goes on "
                            "where it stopped", strerror(rc));
}

/* Whether the path is opened for the first time; remembers it. -1: no memory. */
static int path_is_new(struct sink *s, const char *path)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    size_t i;

    for (; *path; path++)
        hash = (hash ^ (unsigned char)*path) * UINT64_C(1099511628211);
    for (i = 0; i < s->seen_count; i++)
        if (s->seen[i] == hash)
            return 0;
    if (s->seen_count == s->seen_room) {
        size_t room = s->seen_room ? s->seen_room * 2 : FILES;
        uint64_t *fresh = realloc(s->seen, room * sizeof *fresh);

        if (!fresh)
            return -1;
        s->seen = fresh;
        s->seen_room = room;
    }
    s->seen[s->seen_count++] = hash;
    return 1;
}

/* Takes a place for one more file; the one used least is synced and closed. */
static aff_status file_place(struct sink *s, struct file **ret)
{
    struct file *oldest = &s->files[0];
    int i, rc;

    for (i = 0; i < FILES && oldest->path; i++)
        if (!s->files[i].path || s->files[i].used < oldest->used)
            oldest = &s->files[i];
    if (oldest->path) {
        rc = file_sync(oldest);
        if (rc)
            return sink_trouble(s, oldest, rc);
        file_close(oldest);
    }
    *ret = oldest;
    return AFF_OK;
}

static aff_status file_make(struct sink *s, const char *path, struct file **ret)
{
    const struct aff_host *host = s->host;
    enum exists exists = (enum exists)s->config->when_exists;
    const char *problem;
    aff_status st = file_place(s, ret);
    int fresh;

    if (st < 0)
        return st;
    fresh = path_is_new(s, path);
    if (fresh < 0)
        return AFF_ERR_MEMORY;
    problem = file_open(*ret, path, fresh ? exists : EXISTS_APPEND, s->style);
    if (problem) {
        int rc = errno;

        s->seen_count -= (size_t)fresh;
        return host->explain(host, rc == EEXIST || rc == EWOULDBLOCK ? AFF_ERR_CONFIG : AFF_ERR_IO,
                             "the file %s (%s)", problem, strerror(rc));
    }
    host->count(host, METRIC_FILES, 1);
    return AFF_OK;
}

/* The open file of a path. */
static aff_status file_get(struct sink *s, const char *path, struct file **ret)
{
    int i;

    for (i = 0; i < FILES; i++)
        if (s->files[i].path && !strcmp(s->files[i].path, path)) {
            *ret = &s->files[i];
            return AFF_OK;
        }
    return file_make(s, path, ret);
}

static aff_status file_sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct sink *s = host->alloc(host, sizeof *s);
    struct file *only;
    aff_status st = AFF_OK;

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = c;
    s->style = c->format ? TEXT_JSON : TEXT_CSV;
    s->named = path_has_names(c->path) > 0;
    if (!s->named) /* so that a path that does not work shows at once */
        st = file_get(s, path_is_stdout(c->path) ? "-" : c->path, &only);
    if (st < 0) {
        file_close_all(s);
        return st;
    }
    *ret_self = s;
    return AFF_OK;
}

/* The file must have the columns of this record. */
static aff_status columns_check(struct sink *s, struct file *f, const struct row_source *from)
{
    const struct aff_host *host = s->host;
    int begun;

    if (f->schema == from->record->schema && f->schema)
        return AFF_OK;
    if (!from->schema && (from->record->type == AFF_FIELDS || from->record->type == AFF_SAMPLES))
        return host->explain(host, AFF_ERR_DATA, "a record has no schema");
    s->first.size = 0;
    if (s->style == TEXT_CSV)
        rows_header(&s->first, from);
    if (s->first.failed) {
        text_free(&s->first);
        return AFF_ERR_MEMORY;
    }
    begun = file_begin(f, &s->first);
    if (begun < 0)
        return errno == ENOMEM ? AFF_ERR_MEMORY : sink_trouble(s, f, errno);
    if (!begun)
        return host->explain(host, AFF_ERR_DATA, "the CSV file has other columns than this record; put {stream} in "
                             "path, or set format = \"jsonl\"");
    f->schema = from->record->schema;
    return AFF_OK;
}

/* Takes one record into memory. */
static aff_status record_write(struct sink *s, const struct aff_record *r)
{
    const struct aff_host *host = s->host;
    const struct aff_stream_info *info = host->stream_info(host, r->stream);
    struct row_source from = { r, host->schema_info(host, r->schema), NULL, NULL, s->style, s->config->ids };
    struct file *f = &s->files[0];
    const char *problem;
    char path[PATH_ROOM];
    aff_status st = AFF_OK;
    size_t before;
    int rc;

    if (!info)
        return host->explain(host, AFF_ERR_DATA, "a record is of no known stream");
    from.subject = info->subject_name;
    from.stream = info->name;
    if (s->named) {
        if (!path_expand(path, sizeof path, s->config->path, from.subject, from.stream))
            return host->explain(host, AFF_ERR_DATA, "a name is too long for a file's name");
        st = file_get(s, path, &f);
    }
    if (st < 0)
        return st;
    f->used = ++s->tick;
    rc = f->wait.size < FLUSH_AT ? 0 : file_flush(f);
    if (rc)
        return sink_trouble(s, f, rc);
    st = columns_check(s, f, &from);
    if (st < 0)
        return st;
    before = f->wait.size;
    problem = rows_write(&f->wait, &from);
    if (problem)
        return host->explain(host, AFF_ERR_DATA, "%s", problem);
    if (f->wait.failed) {
        f->wait.failed = 0;
        f->wait.size = before;
        return AFF_ERR_MEMORY;
    }
    host->count(host, METRIC_BYTES, f->wait.size - before);
    return AFF_OK;
}

static aff_status file_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    uint32_t i;

    for (i = 0; i < batch->count; i++) {
        aff_status st = record_write(s, &batch->records[i]);

        if (st < 0) {
            *ret_taken = i;
            return st;
        }
    }
    return AFF_OK;
}

static aff_status file_sync_all(void *self, uint64_t epoch)
{
    struct sink *s = self;
    int i, rc;

    (void)epoch;
    for (i = 0; i < FILES; i++) {
        rc = s->files[i].path ? file_sync(&s->files[i]) : 0;
        if (rc)
            return sink_trouble(s, &s->files[i], rc);
    }
    return AFF_OK;
}

static aff_status file_drain(void *self)
{
    return file_sync_all(self, 0);
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_file", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_STAYS,
    .name = "out_file",
    .version = "1.0.0",
    .summary = "Writes records as CSV or JSON lines to files or to stdout.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_TABLE(metrics),
    .validate = file_validate,
    .open = file_sink_open,
    .close = file_close_all,
    .write = file_write,
    .sync = file_sync_all,
    .drain = file_drain,
};
