/* control_client.c - see control_client.h.
 *
 * A run that was killed leaves its key file behind. The first attempt to connect
 * then fails at once, which libzmq would go on repeating: we watch its events, and
 * leave off where nobody listens. Where too many stand at the door it is tried
 * again until the time is over. */
#include "show/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "show/control_inside.h"

static const char events_address[] = "inproc://control-client";

struct client {
    const char *path; /* of the socket */
    void *context;
    void *dealer;
    void *events;
    bool is_in; /* the door has let it in, and has the request */
};

/* ---- opening ---- */

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_keys(void *dealer, const struct control_keys *keys)
{
    return zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, keys->server, CONTROL_KEY - 1) == 0 &&
           zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, keys->client, CONTROL_KEY - 1) == 0 &&
           zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, keys->secret, CONTROL_KEY - 1) == 0;
}

static bool watch(struct client *c)
{
    enum {
        EVENTS = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
    };

    return zmq_socket_monitor(c->dealer, events_address, EVENTS) == 0 && set(c->events, ZMQ_RCVHWM, 0) &&
           set(c->events, ZMQ_LINGER, 0) && zmq_connect(c->events, events_address) == 0;
}

static bool client_open(struct client *c, const struct control_keys *keys)
{
    int64_t most = CONTROL_REPLY_MOST + 1024;
    struct text address = { 0 };
    bool ok;

    c->context = zmq_ctx_new();
    c->dealer = c->context ? zmq_socket(c->context, ZMQ_DEALER) : NULL;
    c->events = c->context ? zmq_socket(c->context, ZMQ_PAIR) : NULL;
    text_print(&address, "ipc://%s", keys->socket);
    ok = !address.failed && c->dealer && c->events && set(c->dealer, ZMQ_LINGER, 0) &&
         zmq_setsockopt(c->dealer, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0 && set_keys(c->dealer, keys) &&
         watch(c) && zmq_connect(c->dealer, address.data) == 0;
    text_free(&address);
    return ok;
}

static void client_close(struct client *c)
{
    if (c->dealer)
        zmq_socket_monitor(c->dealer, NULL, 0);
    if (c->events)
        zmq_close(c->events);
    if (c->dealer)
        zmq_close(c->dealer);
    if (c->context)
        zmq_ctx_term(c->context);
}

/* ---- asking ---- */

/* libzmq does not say why it could not connect: whether nobody listens, or too many
 * wait to be let in. */
static bool is_gone(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool gone;

    if (fd < 0)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1); /* at most PLACE_SOCKET_MOST */
    gone = connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 && errno != EAGAIN && errno != EINTR;
    close(fd);
    return gone;
}

/* Who is cut off before it was let in (too many came at once) is let in later. */
static enum ask_status status_of(struct client *c, uint16_t event)
{
    c->is_in = c->is_in || event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        return ASK_OK;
    if (event == ZMQ_EVENT_CONNECT_RETRIED)
        return is_gone(c->path) ? ASK_NOT_RUNNING : ASK_OK;
    if (event == ZMQ_EVENT_DISCONNECTED)
        return c->is_in ? ASK_SILENT : ASK_OK;
    return ASK_DENIED;
}

/* ASK_OK: nothing that ends the attempt was told. */
static enum ask_status take_events(struct client *c)
{
    enum ask_status status = ASK_OK;
    uint8_t bytes[8], address[256];
    uint16_t event;

    while (zmq_recv(c->events, bytes, sizeof bytes, ZMQ_DONTWAIT) == 6) {
        zmq_recv(c->events, address, sizeof address, ZMQ_DONTWAIT);
        memcpy(&event, bytes, sizeof event);
        if (status == ASK_OK)
            status = status_of(c, event);
    }
    return status;
}

static enum ask_status read_reply(void *dealer, int *ret_code, struct text *answer)
{
    enum ask_status status = ASK_WRONG;
    const char *text;
    zmq_msg_t reply;
    size_t size;

    zmq_msg_init(&reply);
    if (zmq_msg_recv(&reply, dealer, ZMQ_DONTWAIT) >= 0 && !zmq_msg_more(&reply) &&
        control_reply_read(zmq_msg_data(&reply), zmq_msg_size(&reply), ret_code, &text, &size)) {
        text_add_bytes(answer, text, size);
        status = answer->failed ? ASK_MEMORY : ASK_OK;
    }
    zmq_msg_close(&reply);
    return status;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum ask_status wait_reply(struct client *c, int timeout_ms, int *ret_code, struct text *answer)
{
    zmq_pollitem_t items[] = { { .socket = c->dealer, .events = ZMQ_POLLIN },
                               { .socket = c->events, .events = ZMQ_POLLIN } };
    int64_t end = now_ms() + timeout_ms, left = timeout_ms;
    enum ask_status status;

    for (; left > 0; left = end - now_ms()) {
        if (zmq_poll(items, 2, (long)left) < 0 && errno != EINTR)
            return ASK_MEMORY;
        if (items[0].revents & ZMQ_POLLIN)
            return read_reply(c->dealer, ret_code, answer);
        status = take_events(c);
        if (status != ASK_OK)
            return status;
    }
    return ASK_SILENT;
}

static enum ask_status ask(const struct control_keys *keys, const struct text *request, int timeout_ms,
                           int *ret_code, struct text *answer)
{
    struct client client = { .path = keys->socket };
    enum ask_status status = ASK_MEMORY;

    if (client_open(&client, keys) && zmq_send(client.dealer, request->data, request->length, 0) >= 0)
        status = wait_reply(&client, timeout_ms, ret_code, answer);
    client_close(&client);
    return status;
}

static enum ask_status read_keys(const struct place_paths *paths, struct control_keys *keys)
{
    struct text path = { 0 };
    bool ok;

    text_print(&path, "%s/control", paths->folder);
    if (path.failed)
        return ASK_MEMORY;
    ok = control_keys_read(path.data, keys);
    text_free(&path);
    if (ok)
        return ASK_OK;
    return errno == ENOENT || errno == ENOTDIR ? ASK_NOT_RUNNING : ASK_DENIED;
}

enum ask_status control_ask(const struct place_paths *paths, const struct control_request *request,
                            int timeout_ms, int *ret_code, struct text *answer)
{
    struct control_keys keys;
    struct text text = { 0 };
    enum ask_status status;

    *answer = (struct text){ 0 };
    status = read_keys(paths, &keys);
    if (status != ASK_OK)
        return status;
    status = control_request_write(&text, request) ? ask(&keys, &text, timeout_ms, ret_code, answer) : ASK_WRONG;
    text_free(&text);
    free(keys.socket);
    explicit_bzero(&keys, sizeof keys);
    return status;
}

const char *ask_problem(enum ask_status status)
{
    switch (status) {
    case ASK_NOT_RUNNING:
        return "it does not run here; see $STATE_DIRECTORY";
    case ASK_DENIED:
        return "it runs, and its key is not this user's to read, or is refused; ask as the user that it runs as";
    case ASK_SILENT:
        return "it runs, and did not answer in time; try again, or see its log";
    case ASK_WRONG:
        return "it gave no proper answer; is it of the same version of afferent?";
    case ASK_MEMORY:
        return "there is no memory, or no socket can be made";
    case ASK_OK:
        break;
    }
    return "";
}
