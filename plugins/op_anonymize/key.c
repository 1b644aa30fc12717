/* SPDX-License-Identifier: Apache-2.0
 *
 * key.c - see key.h. */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char begin[] = "afferent-key ";
enum { BEGIN = sizeof begin - 1, DIGITS = 2 * KEY_BYTES, FILE_MOST = 256 };

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum key_fault digits_parse(const char *text, uint8_t key[KEY_BYTES])
{
    unsigned any = 0;

    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return KEY_DAMAGED;
        key[i] = (uint8_t)(high << 4 | low);
        any |= key[i];
    }
    return any ? KEY_GOOD : KEY_ZERO;
}

enum key_fault key_parse(const char *text, size_t size, uint8_t key[KEY_BYTES])
{
    enum key_fault fault = KEY_DAMAGED;

    if (size <= BEGIN || memcmp(text, begin, BEGIN) != 0)
        return KEY_NO_KEY;
    text += BEGIN;
    size -= BEGIN;
    if (size < 2 || text[0] != '1' || text[1] != ' ')
        return text[0] >= '0' && text[0] <= '9' ? KEY_OTHER_VERSION : KEY_DAMAGED;
    text += 2;
    size -= 2;
    if (size == DIGITS || (size == DIGITS + 1 && text[DIGITS] == '\n'))
        fault = digits_parse(text, key);
    if (fault != KEY_GOOD)
        sodium_memzero(key, KEY_BYTES);
    return fault;
}

static aff_status say(char *problem, const char *path, const char *what, aff_status status)
{
    (void)snprintf(problem, KEY_TEXT_MOST, what, path, path);
    return status;
}

static aff_status file_check(int fd, const char *path, char *problem)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return say(problem, path, "key file %s cannot be looked at; look after its disk", AFF_ERR_IO);
    if (!S_ISREG(st.st_mode))
        return say(problem, path, "%s is no regular file; expected a key file; make one elsewhere: afferent key new "
                                  "PATH",
                   AFF_ERR_CONFIG);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return say(problem, path, "key file %s belongs to somebody else; expected it to be of the user that runs "
                                  "this, or of root; give it to that user with chown",
                   AFF_ERR_CONFIG);
    if (st.st_mode & 077)
        return say(problem, path, "key file %s may be read or written by others; expected permissions 0600; run: "
                                  "chmod 600 %s",
                   AFF_ERR_CONFIG);
    return AFF_OK;
}

static aff_status text_check(enum key_fault fault, const char *path, char *problem)
{
    switch (fault) {
    case KEY_GOOD: return AFF_OK;
    case KEY_OTHER_VERSION:
        return say(problem, path, "key file %s is of another version than 1; this afferent reads version 1; use "
                                  "a newer one",
                   AFF_ERR_CONFIG);
    case KEY_ZERO:
        return say(problem, path, "the key in %s is all zeros; expected a random one; make another: "
                                  "afferent key new PATH",
                   AFF_ERR_CONFIG);
    case KEY_DAMAGED:
        return say(problem, path, "key file %s is damaged; expected one line, \"afferent-key 1\" and 64 hexadecimal "
                                  "digits; take it from your copy, for a new key gives other pseudonyms",
                   AFF_ERR_CONFIG);
    default:
        return say(problem, path, "%s is no key file; expected one line that begins with \"afferent-key 1\"; make "
                                  "one: afferent key new PATH",
                   AFF_ERR_CONFIG);
    }
}

static aff_status file_read(int fd, const char *path, uint8_t key[KEY_BYTES], char *problem)
{
    char text[FILE_MOST];
    size_t size = 0;
    ssize_t got = 1;
    aff_status st;

    while (got > 0 && size < sizeof text) {
        got = read(fd, text + size, sizeof text - size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            size += (size_t)got;
    }
    if (got < 0)
        st = say(problem, path, "key file %s cannot be read; look after its disk", AFF_ERR_IO);
    else
        st = text_check(key_parse(text, size, key), path, problem);
    sodium_memzero(text, sizeof text);
    return st;
}

aff_status key_read(const char *path, uint8_t key[KEY_BYTES], char *problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    aff_status st;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return say(problem, path, "there is no key file %s; expected one; make it: afferent key new %s",
                   AFF_ERR_CONFIG);
    if (fd < 0 && errno == EACCES)
        return say(problem, path, "key file %s may not be read by the user that runs this; expected it to be of that "
                                  "user, with permissions 0600; run: chown and chmod 600 %s",
                   AFF_ERR_CONFIG);
    if (fd < 0)
        return say(problem, path, "key file %s cannot be opened; look after its disk, and after open files",
                   AFF_ERR_IO);
    st = file_check(fd, path, problem);
    if (st == AFF_OK)
        st = file_read(fd, path, key, problem);
    close(fd);
    return st;
}
