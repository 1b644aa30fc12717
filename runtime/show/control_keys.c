/* control_keys.c - the file by which a client finds the door of a run.
 *
 *   afferent-control-key 1
 *   socket PATH
 *   server KEY       its public key
 *   client KEY       the one that is on the allow-list
 *   secret KEY       of the client
 *
 * It is its owner's alone from the first moment, takes its name when it is whole,
 * and is gone when the run is; a run that was killed leaves one that leads nowhere.
 *
 * Not here: the server's secret, which is in no file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show/control_inside.h"

static const char head[] = "afferent-control-key 1";
enum { FILE_MOST = 4096, KEY_LENGTH = CONTROL_KEY - 1 };

/* ---- writing ---- */

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static bool write_beside(const char *path, const struct text *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok;

    if (fd < 0)
        return false;
    ok = fchmod(fd, 0600) == 0 && write_all(fd, text->data, text->length);
    return close(fd) == 0 && ok;
}

bool control_keys_write(const char *path, const struct control_keys *keys)
{
    struct text text = { 0 }, beside = { 0 };
    bool ok;

    text_print(&text, "%s\nsocket %s\nserver %s\nclient %s\nsecret %s\n", head, keys->socket, keys->server,
               keys->client, keys->secret);
    text_print(&beside, "%s.new", path);
    ok = !text.failed && !beside.failed;
    if (!ok)
        errno = ENOMEM;
    if (ok && strchr(keys->socket, '\n')) {
        errno = EINVAL;
        ok = false;
    }
    if (ok) {
        unlink(beside.data); /* of a run that was killed */
        ok = write_beside(beside.data, &text) && rename(beside.data, path) == 0;
    }
    text_free(&text);
    text_free(&beside);
    return ok;
}

/* ---- reading ---- */

/* The value of the next line, which is "word value"; NULL: it is not. */
static char *next_value(char **at, const char *word)
{
    size_t length = strlen(word);
    char *line = *at, *end = strchr(line, '\n');

    if (!end || strncmp(line, word, length) != 0 || line[length] != ' ')
        return NULL;
    *end = '\0';
    *at = end + 1;
    return line + length + 1;
}

static bool next_key(char **at, const char *word, char key[CONTROL_KEY])
{
    const char *value = next_value(at, word);

    if (!value || strlen(value) != KEY_LENGTH)
        return false;
    memcpy(key, value, CONTROL_KEY);
    return true;
}

static bool read_lines(char *at, struct control_keys *keys)
{
    const char *path;

    if (strncmp(at, head, sizeof head - 1) != 0 || at[sizeof head - 1] != '\n')
        return false;
    at += sizeof head;
    path = next_value(&at, "socket");
    if (!path || strlen(path) > PLACE_SOCKET_MOST || !next_key(&at, "server", keys->server) ||
        !next_key(&at, "client", keys->client) || !next_key(&at, "secret", keys->secret))
        return false;
    keys->socket = strdup(path);
    return keys->socket != NULL;
}

bool control_keys_read(const char *path, struct control_keys *ret_keys)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char bytes[FILE_MOST + 1];
    struct stat st;
    ssize_t size = -1;
    bool ok;

    *ret_keys = (struct control_keys){ .socket = NULL };
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        size = read(fd, bytes, FILE_MOST);
    close(fd);
    bytes[size > 0 ? size : 0] = '\0';
    ok = read_lines(bytes, ret_keys);
    explicit_bzero(bytes, sizeof bytes);
    if (!ok)
        errno = EINVAL;
    return ok;
}
