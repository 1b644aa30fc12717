/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.c - key files of the link. See keys.h. */
#include "zmq_link/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { LINE_MOST = 160 };
static const char pair_begin[] = "afferent-curve-key 1 ";
static const char public_begin[] = "afferent-curve-public 1 ";

/* What is wrong with the file, and what to do. */
static aff_status say(char *problem, const char *path, const char *what)
{
    (void)snprintf(problem, CURVE_PROBLEM, "key file %s %s", path, what);
    return AFF_ERR_CONFIG;
}

static aff_status file_check(int fd, const char *path, bool is_secret, char *problem)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return say(problem, path, "is no regular file; expected a key file; make one elsewhere: "
                                  "afferent key new --curve NAME");
    if (!is_secret)
        return AFF_OK;
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return say(problem, path, "belongs to somebody else; expected it to be of the user that runs this, "
                                  "or of root; give it to that user with chown");
    if (st.st_mode & 077)
        return say(problem, path, "may be read or written by others; expected permissions 0600; run: "
                                  "chmod 600 on it");
    return AFF_OK;
}

static aff_status line_read(const char *path, bool is_secret, char line[LINE_MOST], char *problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    aff_status st = AFF_OK;
    ssize_t size = -1;

    line[0] = '\0';
    if (fd < 0)
        return say(problem, path, "cannot be opened; expected one; make it: afferent key new --curve NAME");
    st = file_check(fd, path, is_secret, problem);
    if (st == AFF_OK) {
        size = read(fd, line, LINE_MOST - 1);
        line[size > 0 ? size : 0] = '\0';
    }
    (void)close(fd);
    line[strcspn(line, "\n")] = '\0';
    return st;
}

/* A key at the beginning of `text`, which ends there or with a blank. */
static bool key_take(const char *text, char key[CURVE_TEXT])
{
    uint8_t bytes[32], any = 0;
    bool good;

    if (strnlen(text, CURVE_TEXT - 1) != CURVE_TEXT - 1 || (text[CURVE_TEXT - 1] && text[CURVE_TEXT - 1] != ' '))
        return false;
    memcpy(key, text, CURVE_TEXT - 1);
    key[CURVE_TEXT - 1] = '\0';
    good = zmq_z85_decode(bytes, key) != NULL;
    for (size_t i = 0; i < sizeof bytes; i++)
        any |= bytes[i];
    explicit_bzero(bytes, sizeof bytes);
    return good && any;
}

static aff_status other_version(const char *path, char *problem)
{
    return say(problem, path, "is damaged, or of another version than 1, which this afferent reads; take it "
                              "from your copy, or make a new pair: afferent key new --curve NAME");
}

aff_status curve_pair_read(const char *path, struct curve_pair *ret, char *problem)
{
    size_t begin = sizeof pair_begin - 1;
    char line[LINE_MOST];
    aff_status st = line_read(path, true, line, problem);

    if (st != AFF_OK)
        return st;
    if (strncmp(line, public_begin, 22) == 0)
        st = say(problem, path, "is a public key; expected the pair, which ends in .key");
    else if (strncmp(line, pair_begin, 19) != 0)
        st = say(problem, path, "is no key file of the link; expected one; make it: afferent key new --curve NAME");
    else if (strncmp(line, pair_begin, begin) != 0 || !key_take(line + begin, ret->public_key) ||
             strlen(line) != begin + 2 * CURVE_TEXT - 1 || !key_take(line + begin + CURVE_TEXT, ret->secret_key))
        st = other_version(path, problem);
    explicit_bzero(line, sizeof line);
    return st;
}

aff_status curve_public_read(const char *path, char ret_key[CURVE_TEXT], char *problem)
{
    size_t begin = sizeof public_begin - 1;
    char line[LINE_MOST];
    aff_status st = line_read(path, false, line, problem);

    if (st != AFF_OK)
        return st;
    if (strncmp(line, pair_begin, 19) == 0)
        st = say(problem, path, "holds a secret key; expected the public one, which ends in .pub; never carry the "
                                "other to another machine");
    else if (strncmp(line, public_begin, 22) != 0)
        st = say(problem, path, "is no public key of the link; expected one; make it: afferent key new --curve NAME");
    else if (strncmp(line, public_begin, begin) != 0 || strlen(line) != begin + CURVE_TEXT - 1 ||
             !key_take(line + begin, ret_key))
        st = other_version(path, problem);
    explicit_bzero(line, sizeof line);
    return st;
}

aff_status curve_sockets_allowed(char *problem)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 || (errno != EPERM && errno != EACCES))
        return AFF_OK;
    (void)snprintf(problem, CURVE_PROBLEM, "sockets are closed to this node's process; it needs them; "
                                            "write run = { isolation = \"thread\" }");
    return AFF_ERR_CONFIG;
}
