/* control_kit.c - see control_kit.h. */
#include "control_kit.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum { LOOK_MS = 10, LOOKS = 1000 };

/* ---- what the pipeline does ---- */

static int do_status(void *arg, bool json, struct text *answer)
{
    (void)arg;
    text_add(answer, json ? "{\"fine\": true}" : "fine");
    return 0;
}

static int do_retry(void *arg, const uint64_t *letters, uint32_t count, struct text *answer)
{
    (void)arg;
    for (uint32_t i = 0; i < count; i++)
        text_print(answer, "%llu ", (unsigned long long)letters[i]);
    return 1;
}

static int do_reload(void *arg, const char *path, struct text *answer)
{
    struct bench *b = arg;

    b->begun++;
    pthread_mutex_lock(&b->gate);
    pthread_mutex_unlock(&b->gate);
    text_add(answer, path);
    return 0;
}

static int do_command(void *arg, const char *node, const char *const *pairs, uint32_t count, struct text *answer)
{
    (void)arg;
    text_print(answer, "%s", node);
    for (uint32_t i = 0; i < count; i++)
        text_print(answer, " %s=%s", pairs[2 * i], pairs[2 * i + 1]);
    return 0;
}

static int do_ledger(void *arg, bool json, struct text *answer)
{
    (void)arg;
    (void)json;
    for (size_t i = 0; i < CONTROL_REPLY_MOST / 8; i++)
        text_add(answer, "123456789");
    return 0;
}

/* ---- the bench ---- */

void open_door(struct bench *b)
{
    struct control_work work = { .status = do_status, .retry = do_retry, .reload = do_reload,
                                 .command = do_command, .ledger = do_ledger, .arg = b };
    char why[512] = "";

    b->control = control_open(&b->paths, &work, why, sizeof why);
    if (!b->control)
        print_error("%s\n", why);
    assert_non_null(b->control);
}

int bench_setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    char why[512];

    strcpy(b->folder, "/tmp/afferent-control-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    setenv("STATE_DIRECTORY", b->folder, 1);
    unsetenv("RUNTIME_DIRECTORY");
    unsetenv("XDG_RUNTIME_DIR");
    assert_true(place_find("ward", &b->paths, why, sizeof why));
    assert_true(place_make(&b->paths, why, sizeof why));
    pthread_mutex_init(&b->gate, NULL);
    open_door(b);
    *state = b;
    return 0;
}

int bench_teardown(void **state)
{
    struct bench *b = *state;
    char command[128];

    pthread_mutex_trylock(&b->gate); /* a test that failed may have left it shut */
    pthread_mutex_unlock(&b->gate);
    control_close(&b->control);
    place_free(&b->paths);
    pthread_mutex_destroy(&b->gate);
    snprintf(command, sizeof command, "rm -rf %s", b->folder);
    assert_int_equal(system(command), 0);
    free(b);
    return 0;
}

enum ask_status ask(struct bench *b, const char *verb, const char *argument, int *code, struct text *answer)
{
    const char *arguments[] = { argument };
    struct control_request request = { .verb = verb, .arguments = arguments, .count = argument ? 1 : 0 };

    return control_ask(&b->paths, &request, LONG_MS, code, answer);
}

void good_client_is_answered(struct bench *b)
{
    struct text answer;
    int code = -1;

    assert_int_equal(ask(b, "status", "json", &code, &answer), ASK_OK);
    assert_int_equal(code, 0);
    assert_string_equal(answer.data, "{\"fine\": true}");
    text_free(&answer);
}

bool comes(struct bench *b, uint64_t (*what)(const struct control_figures *figures), uint64_t n)
{
    struct timespec pause = { 0, LOOK_MS * 1000000 };
    struct control_figures f;

    for (int i = 0; i < LOOKS; i++) {
        control_figures(b->control, &f);
        if (what(&f) >= n)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

uint64_t handshakes(const struct control_figures *f)
{
    return f->handshake;
}

uint64_t keys(const struct control_figures *f)
{
    return f->keys;
}

uint64_t cuts(const struct control_figures *f)
{
    return f->cut;
}

uint64_t larges(const struct control_figures *f)
{
    return f->too_large;
}

uint64_t malformeds(const struct control_figures *f)
{
    return f->malformed;
}

uint64_t unknowns(const struct control_figures *f)
{
    return f->unknown;
}

int raw_connect(struct bench *b)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    strcpy(address.sun_path, b->paths.socket);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

struct peer peer_open(struct bench *b, const struct control_keys *k)
{
    struct peer p = { zmq_ctx_new(), NULL };
    int zero = 0, patience = LONG_MS;
    char address[256];

    p.socket = zmq_socket(p.context, ZMQ_DEALER);
    zmq_setsockopt(p.socket, ZMQ_LINGER, &zero, sizeof zero);
    zmq_setsockopt(p.socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    if (k) {
        assert_int_equal(zmq_setsockopt(p.socket, ZMQ_CURVE_SERVERKEY, k->server, 40), 0);
        assert_int_equal(zmq_setsockopt(p.socket, ZMQ_CURVE_PUBLICKEY, k->client, 40), 0);
        assert_int_equal(zmq_setsockopt(p.socket, ZMQ_CURVE_SECRETKEY, k->secret, 40), 0);
    }
    snprintf(address, sizeof address, "ipc://%s", b->paths.socket);
    assert_int_equal(zmq_connect(p.socket, address), 0);
    return p;
}

void peer_close(struct peer *p)
{
    zmq_close(p->socket);
    zmq_ctx_term(p->context);
}

void read_keys(struct bench *b, struct control_keys *k)
{
    char path[512];

    snprintf(path, sizeof path, "%s/control", b->paths.folder);
    assert_true(control_keys_read(path, k));
    assert_string_equal(k->socket, b->paths.socket);
    free(k->socket);
}

uint64_t answered(struct bench *b)
{
    struct control_figures f;

    control_figures(b->control, &f);
    return f.answered;
}

void expect_reply(struct peer *p, const char *word)
{
    char reply[256];
    int size = zmq_recv(p->socket, reply, sizeof reply - 1, 0);

    assert_true(size > 0);
    reply[size] = '\0';
    assert_non_null(strstr(reply, word));
}

void send_status(struct peer *p)
{
    assert_true(zmq_send(p->socket, CONTROL_HEAD "status\n", sizeof CONTROL_HEAD + 6, 0) > 0);
}
