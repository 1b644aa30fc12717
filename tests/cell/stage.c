/* stage.c - see stage.h. */
#include "stage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct stage *stage_of(const struct aff_host *host)
{
    return (struct stage *)(uintptr_t)host;
}

/* ---- what is simple ---- */

static void *st_alloc(const struct aff_host *host, size_t size)
{
    (void)host;
    return calloc(1, size);
}

static void st_free(const struct aff_host *host, void *memory)
{
    (void)host;
    free(memory);
}

static int64_t st_now(const struct aff_host *host)
{
    return stage_of(host)->now_ns;
}

static int64_t st_utc(const struct aff_host *host, uint8_t *ret_clock)
{
    *ret_clock = AFF_CLOCK_DEVICE;
    return stage_of(host)->now_ns + 1000;
}

static uint64_t st_random(const struct aff_host *host)
{
    struct stage *s = stage_of(host);

    s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
    return s->seed;
}

__attribute__((format(printf, 3, 4)))
static void st_log(const struct aff_host *host, int level, const char *format, ...)
{
    struct stage *s = stage_of(host);
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->logs++;
    if (getenv("STAGE_LOG"))
        fprintf(stderr, "# %d %s\n", level, text);
}

__attribute__((format(printf, 3, 4)))
static aff_status st_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    struct stage *s = stage_of(host);
    va_list args;

    va_start(args, format);
    vsnprintf(s->why, sizeof s->why, format, args);
    va_end(args);
    return status;
}

static void st_count(const struct aff_host *host, uint32_t metric, uint64_t by)
{
    if (metric < 8)
        stage_of(host)->metrics[metric] += by;
}

static void st_gauge(const struct aff_host *host, uint32_t metric, double value)
{
    if (metric < 8)
        stage_of(host)->metrics[metric] = (uint64_t)value;
}

static void st_incarnation(const struct aff_host *host, const void *bytes, size_t size)
{
    (void)bytes;
    fprintf(stage_of(host)->out, "incarnation %zu\n", size);
    stage_of(host)->incarnations++;
}

static void st_wake_at(const struct aff_host *host, int64_t boot_ns)
{
    stage_of(host)->wake_ns = boot_ns;
}

static void st_timer(const struct aff_host *host, uint32_t subject, int64_t due_ns)
{
    stage_of(host)->timers[subject % STAGE_NAMES] = due_ns;
}

static void st_answer(const struct aff_host *host, struct aff_id id, aff_status status, uint8_t verdict, const char *words)
{
    struct stage *s = stage_of(host);

    (void)id;
    pthread_mutex_lock(&s->lock);
    s->answer_verdict = verdict;
    s->answer_status = status;
    snprintf(s->answer_words, sizeof s->answer_words, "%s", words);
    s->acked[status == AFF_OK ? 0 : status == AFF_ERR_DATA ? 1 : 2]++;
    pthread_mutex_unlock(&s->lock);
}

static void st_cut(const struct aff_host *host)
{
    stage_of(host)->cuts++;
}

static uint64_t st_epoch(const struct aff_host *host)
{
    return stage_of(host)->epoch;
}

/* ---- names ---- */

static uint32_t st_subject(const struct aff_host *host, const char *name)
{
    struct stage *s = stage_of(host);
    uint32_t i;

    for (i = 1; i <= s->subject_count; i++)
        if (strcmp(s->subjects[i], name) == 0)
            return i;
    if (s->subject_count + 1 == STAGE_NAMES)
        return 0;
    s->subjects[++s->subject_count] = strdup(name);
    return s->subject_count;
}

static uint32_t st_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    struct stage *s = stage_of(host);
    uint32_t i;

    if (subject == 0 || subject > s->subject_count)
        return 0;
    for (i = 1; i <= s->stream_count; i++)
        if (s->streams[i].subject == subject && strcmp(s->streams[i].name, name) == 0)
            return i;
    if (s->stream_count + 1 == STAGE_NAMES)
        return 0;
    i = ++s->stream_count;
    s->streams[i] =
        (struct aff_stream_info){ s->stream_count, subject, 0, schema, strdup(name), s->subjects[subject] };
    return s->stream_count;
}

/* Known by its name and count: enough for these tests. */
static uint32_t st_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    struct stage *s = stage_of(host);
    struct aff_column *columns;
    uint32_t i;

    if (s->no_names)
        return 0;
    for (i = 1; i <= s->schema_count; i++)
        if (strcmp(s->schemas[i].name, schema->name) == 0 && s->schemas[i].count == schema->count)
            return i;
    if (s->schema_count + 1 == STAGE_NAMES)
        return 0;
    i = ++s->schema_count;
    columns = calloc(schema->count + 1u, sizeof *columns);
    s->schemas[i] = *schema;
    s->schemas[i].name = s->schema_texts[i] = strdup(schema->name);
    s->schemas[i].columns = columns;
    s->schemas[i].stride = sizeof *columns;
    for (uint32_t k = 0; k < schema->count; k++) {
        columns[k] = *(const struct aff_column *)(const void *)((const char *)schema->columns + (size_t)k * schema->stride);
        columns[k].name = NULL;
        columns[k].unit = NULL;
        columns[k].code = NULL;
    }
    return i;
}

static const struct aff_stream_info *st_stream_info(const struct aff_host *host, uint32_t stream)
{
    struct stage *s = stage_of(host);

    return stream > 0 && stream <= s->stream_count ? &s->streams[stream] : NULL;
}

static const char *st_subject_name(const struct aff_host *host, uint32_t subject)
{
    struct stage *s = stage_of(host);

    return subject > 0 && subject <= s->subject_count ? s->subjects[subject] : NULL;
}

static const struct aff_schema *st_schema_info(const struct aff_host *host, uint32_t schema)
{
    struct stage *s = stage_of(host);

    return schema > 0 && schema <= s->schema_count ? &s->schemas[schema] : NULL;
}

static aff_status st_state_open(const struct aff_host *host, size_t bytes, int per_subject)
{
    struct stage *s = stage_of(host);

    (void)per_subject;
    if (s->state)
        return st_explain(host, AFF_ERR_BUG, "state_open twice");
    s->state_bytes = bytes;
    s->state = calloc(STAGE_NAMES, bytes);
    return AFF_OK;
}

static void *st_state(const struct aff_host *host, uint32_t number)
{
    struct stage *s = stage_of(host);

    return s->state && number < STAGE_NAMES ? s->state + number * s->state_bytes : NULL;
}

/* ---- records ---- */

static struct aff_record *st_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    struct stage *s = stage_of(host);
    const struct aff_record *from = input == AFF_NO_INPUT ? s->mark : &s->batch[input];
    uint32_t least = s->staged_count ? s->staged[s->staged_count - 1].input : 0;

    if (s->draft_open)
        free(s->draft.data);
    s->draft_open = false;
    if (s->no_room || (s->fail_reserve > 0 && --s->fail_reserve == 0))
        return NULL;
    if (s->staged_count == STAGE_STAGED || port >= s->about->outputs.count ||
        (input != AFF_NO_INPUT && (input >= s->batch_count || input < least))) {
        fprintf(s->out, "WRONG reserve\n");
        return NULL;
    }
    s->draft = (struct aff_record){ .seen_ns = s->now_ns };
    if (from)
        s->draft = *from;
    s->draft.flags &= (uint16_t) ~(unsigned)(AFF_FLAG_END | AFF_FLAG_GAP);
    s->draft.data = calloc(1, size + 1);
    if (((const struct aff_port *)s->about->outputs.items)[port].schema)
        s->draft.schema = st_schema(host, ((const struct aff_port *)s->about->outputs.items)[port].schema);
    s->draft_port = port;
    s->draft_input = input;
    s->draft.size = size;
    s->draft_open = true;
    return &s->draft;
}

static aff_status st_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size)
{
    struct stage *s = stage_of(host);
    struct stage_emit *e = &s->staged[s->staged_count];

    if (s->refuses)
        return AFF_ERR_BUG;
    if (!s->draft_open || draft != &s->draft || size > draft->size || !st_stream_info(host, draft->stream) ||
        !st_schema_info(host, draft->schema)) {
        fprintf(s->out, "WRONG emit\n");
        return AFF_ERR_BUG;
    }
    s->emitted = draft->id;
    s->emitted_flags = draft->flags;
    s->draft.size = size;
    s->draft_open = false;
    *e = (struct stage_emit){ s->draft, s->draft_port, s->draft_input, s->draft_input == AFF_NO_INPUT };
    if (e->loose)
        e->input = s->staged_count ? s->staged[s->staged_count - 1].input : 0;
    s->staged_count++;
    return AFF_OK;
}

static void record_tell(struct stage *s, const char *what, uint32_t port, const struct aff_record *r)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (uint32_t i = 0; i < r->size; i++)
        hash = (hash ^ ((const uint8_t *)r->data)[i]) * 0x100000001b3u;
    s->gaps += (r->flags & AFF_FLAG_GAP) != 0;
    fprintf(s->out, "%s %u subject %u stream %u schema %u event %" PRId64 " clock %u flags %u size %u %016" PRIx64 "\n", what,
            port, r->subject, r->stream, r->schema, r->event_ns, r->clock, r->flags, r->size, hash);
}

static aff_status st_stream_end(const struct aff_host *host, uint32_t port, uint32_t stream)
{
    fprintf(stage_of(host)->out, "end %u stream %u\n", port, stream);
    return AFF_OK;
}

static const struct aff_record *st_hold(const struct aff_host *host, const struct aff_record *record)
{
    struct stage *s = stage_of(host);
    uint32_t i;

    for (i = 0; i < STAGE_HELD && s->held_used[i]; i++)
        continue;
    if (i == STAGE_HELD)
        return NULL;
    s->held_used[i] = true;
    s->held[i] = *record;
    s->held[i].data = malloc(record->size + 1u);
    memcpy(s->held[i].data, record->data, record->size);
    return &s->held[i];
}

static aff_status st_release(const struct aff_host *host, const struct aff_record *held, uint8_t verdict)
{
    struct stage *s = stage_of(host);
    size_t i = (size_t)(held - s->held);

    if (i >= STAGE_HELD || !s->held_used[i]) {
        fprintf(s->out, "WRONG release\n");
        return AFF_ERR_BUG;
    }
    if (s->fail_release > 0 && --s->fail_release == 0)
        return AFF_ERR_MEMORY;
    fprintf(s->out, "verdict %u for ", verdict);
    record_tell(s, "held", 0, held);
    s->held_used[i] = false;
    free(s->held[i].data);
    return AFF_OK;
}

/* Oldest first: by the event time, which rises in these tests. */
static const struct aff_record *st_held(const struct aff_host *host, uint32_t index)
{
    struct stage *s = stage_of(host);
    int64_t last = INT64_MIN;
    const struct aff_record *best = NULL;

    for (uint32_t n = 0; n <= index; n++) {
        best = NULL;
        for (uint32_t i = 0; i < STAGE_HELD; i++)
            if (s->held_used[i] && s->held[i].event_ns > last && (!best || s->held[i].event_ns < best->event_ns))
                best = &s->held[i];
        if (!best)
            return NULL;
        last = best->event_ns;
    }
    return best;
}

static aff_status st_dead(const struct aff_host *host, uint32_t input, uint8_t verdict, uint64_t offset, const void *bytes,
                          uint32_t size)
{
    struct stage *s = stage_of(host);

    (void)bytes;
    fprintf(s->out, "aside %u verdict %u offset %" PRIu64 " size %u\n", input == AFF_NO_INPUT, verdict, offset, size);
    s->aside++;
    return AFF_OK;
}

/* ---- life ---- */

void stage_begin(struct stage *s)
{
    memset(s, 0, sizeof *s);
    s->host = (struct aff_host){
        .struct_size = sizeof s->host, .major = AFF_ABI_MAJOR, .alloc = st_alloc, .free = st_free, .now_ns = st_now,
        .utc_ns = st_utc, .random = st_random, .log = st_log, .explain = st_explain, .count = st_count,
        .gauge = st_gauge, .incarnation = st_incarnation, .subject = st_subject, .stream = st_stream,
        .schema = st_schema, .stream_info = st_stream_info, .subject_name = st_subject_name,
        .schema_info = st_schema_info, .state_open = st_state_open, .state = st_state, .reserve = st_reserve,
        .emit = st_emit, .stream_end = st_stream_end, .hold = st_hold, .release = st_release, .wake_at = st_wake_at,
        .timer = st_timer, .dead = st_dead, .answer = st_answer, .cut = st_cut, .held = st_held,
        .epoch = st_epoch, .node = "node", .pipeline = "line", .window_records = 11, .window_epochs = 3,
    };
    s->staged = calloc(STAGE_STAGED, sizeof *s->staged);
    s->now_ns = 1000000000000;
    s->seed = 7;
    s->out = open_memstream(&s->text, &s->text_size);
    pthread_mutex_init(&s->lock, NULL);
}

/* As the data path does, before anything is opened. */
void stage_ports(struct stage *s, const struct aff_plugin *about)
{
    const struct aff_port *ports = about->outputs.items;

    for (uint32_t i = 0; i < about->outputs.count; i++)
        if (ports[i].schema)
            s->host.schema(&s->host, ports[i].schema);
}

aff_status stage_open(struct stage *s, const struct aff_plugin *about, const void *config)
{
    aff_status st;

    s->about = about;
    stage_ports(s, about);
    st = about->open ? about->open(&s->host, config, &s->self) : AFF_OK;
    if (st == AFF_OK && about->start)
        st = about->start(s->self);
    return st;
}

void stage_close(struct stage *s)
{
    if (s->about->stop)
        s->about->stop(s->self);
    if (s->about->close)
        s->about->close(s->self);
    fflush(s->out);
}

void stage_end(struct stage *s)
{
    uint32_t i;

    for (i = 0; i < s->staged_count; i++)
        free(s->staged[i].record.data);
    if (s->draft_open)
        free(s->draft.data);
    for (i = 0; i < STAGE_HELD; i++)
        if (s->held_used[i])
            free(s->held[i].data);
    for (i = 1; i <= s->subject_count; i++)
        free(s->subjects[i]);
    for (i = 1; i <= s->stream_count; i++)
        free((void *)(uintptr_t)s->streams[i].name);
    for (i = 1; i <= s->schema_count; i++) {
        free(s->schema_texts[i]);
        free((void *)(uintptr_t)s->schemas[i].columns);
    }
    fclose(s->out);
    free(s->text);
    free(s->state);
    free(s->staged);
    pthread_mutex_destroy(&s->lock);
}

/* ---- batches ---- */

static void emits_settle(struct stage *s, uint32_t upto)
{
    uint32_t i, left = 0;

    for (i = 0; i < s->staged_count; i++) {
        struct stage_emit *e = &s->staged[i];

        if (e->input > upto) {
            s->staged[left++] = *e;
            continue;
        }
        record_tell(s, "made", e->port, &e->record);
        free(e->record.data);
        s->made++;
    }
    s->staged_count = left;
}

static void emits_forget(struct stage *s, uint32_t from)
{
    uint32_t i, left = 0;

    for (i = 0; i < s->staged_count; i++) {
        if (!s->staged[i].loose && s->staged[i].input >= from)
            free(s->staged[i].record.data);
        else
            s->staged[left++] = s->staged[i];
    }
    s->staged_count = left;
}

static void settle(struct stage *s, const uint8_t *verdicts, uint32_t taken)
{
    for (uint32_t i = 0; i < taken; i++) {
        emits_settle(s, i);
        s->by_verdict[verdicts[i] % STAGE_VERDICTS]++;
        s->passed += verdicts[i] == 0;
        fprintf(s->out, "verdict %u for ", verdicts[i]);
        record_tell(s, "in", 0, &s->batch[i]);
    }
}

static aff_status offer(struct stage *s, struct aff_record *records, uint32_t count, uint32_t *ret_taken)
{
    uint8_t verdicts[64] = { 0 };
    struct aff_batch batch = { records, verdicts, count, 0 };
    aff_status st;

    s->batch = records;
    s->batch_count = count;
    *ret_taken = 0;
    st = s->about->kind == AFF_SINK ? s->about->write(s->self, &batch, ret_taken)
                                    : s->about->process(s->self, &batch, ret_taken);
    if (st == AFF_OK)
        *ret_taken = count;
    else
        emits_forget(s, *ret_taken);
    settle(s, verdicts, *ret_taken);
    emits_settle(s, UINT32_MAX - 1);
    return st;
}

bool stage_feed(struct stage *s, struct aff_record *records, uint32_t count, uint32_t batch, aff_status *ret_status)
{
    uint32_t at = 0, tries = 0;

    s->in += count;
    while (at < count) {
        uint32_t taken;

        *ret_status = offer(s, records + at, count - at < batch ? count - at : batch, &taken);
        at += taken;
        if (*ret_status == AFF_ERR_DATA) {
            s->dead++;
            at++;
        } else if (*ret_status == AFF_ERR_IO || *ret_status == AFF_ERR_MEMORY || *ret_status == AFF_AGAIN) {
            s->waits++;
            s->now_ns += 10100000000;
            if (++tries == STAGE_TRIES)
                return false;
        } else if (*ret_status < 0) {
            return false;
        }
    }
    return true;
}

void stage_passed(struct stage *s, const struct aff_record *record)
{
    fputs("verdict 0 for ", s->out);
    record_tell(s, "in", 0, record);
}

aff_status stage_call(struct stage *s, aff_status (*which)(struct stage *stage))
{
    aff_status st;
    uint32_t tries = 0;

    s->batch = NULL;
    s->batch_count = 0;
    while ((st = which(s)) == AFF_ERR_IO && ++tries < 8) {
        s->waits++;
        s->now_ns += 10100000000;
    }
    emits_settle(s, UINT32_MAX);
    return st;
}

aff_status stage_drain(struct stage *s)
{
    return s->about->drain(s->self);
}

aff_status stage_read(struct stage *s)
{
    return s->about->read(s->self, 64);
}

aff_status stage_sync(struct stage *s)
{
    return s->about->sync(s->self, 1);
}

struct aff_record *stage_records(struct stage *s, uint32_t count, struct stage_payload **ret_payloads)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "numbers" };
    struct aff_record *records = calloc(count, sizeof *records);
    struct stage_payload *payloads = aligned_alloc(64, (count * sizeof *payloads + 63) & ~(size_t)63);
    uint32_t id = s->host.schema(&s->host, &schema), streams[2], subjects[2];

    subjects[0] = s->host.subject(&s->host, "one");
    subjects[1] = s->host.subject(&s->host, "two");
    streams[0] = s->host.stream(&s->host, subjects[0], "ecg", id);
    streams[1] = s->host.stream(&s->host, subjects[1], "ecg", id);
    for (uint32_t i = 0; i < count; i++) {
        payloads[i] = (struct stage_payload){ i, 0, { i * 3, i * 5 } };
        records[i] = (struct aff_record){ .id = { 9, i + 1 }, .event_ns = 1000000 + i, .seen_ns = 5,
                                          .data = &payloads[i], .size = sizeof payloads[i], .schema = id,
                                          .subject = subjects[i % 2], .stream = streams[i % 2], .type = AFF_BYTES,
                                          .clock = AFF_CLOCK_RECORDED };
    }
    *ret_payloads = payloads;
    return records;
}
