/* key_file.c - see key_file.h.
 *
 * One line: "afferent-key 1 " and 64 hexadecimal digits. The file must belong to
 * the user that runs this, or to root, and nobody else may read it: a key that
 * others know seals nothing. */
#include "config/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char begin[] = "afferent-key ";
enum { BEGIN = sizeof begin - 1, DIGITS = 2 * KEY_FILE_BYTES, FILE_MOST = 256 };

#define WRONG(why, ...) (text_print(why, __VA_ARGS__), false)

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False: not 64 digits, or all of them zero, as in a file that was never written. */
static bool digits_read(const char *text, uint8_t *ret_key)
{
    unsigned any = 0;

    for (size_t i = 0; i < KEY_FILE_BYTES; i++) {
        int high = digit_value(text[2 * i]), low = high < 0 ? -1 : digit_value(text[2 * i + 1]);

        if (low < 0)
            return false;
        ret_key[i] = (uint8_t)(high << 4 | low);
        any |= ret_key[i];
    }
    return any != 0;
}

static bool text_read(const char *text, size_t size, const char *shown, uint8_t *ret_key, struct text *why)
{
    if (size <= BEGIN || memcmp(text, begin, BEGIN) != 0)
        return WRONG(why, "%s is no key file; expected one line that begins with \"afferent-key 1\"; make one: "
                     "afferent key new PATH", shown);
    text += BEGIN;
    size -= BEGIN;
    if (text[0] >= '0' && text[0] <= '9' && (size < 2 || text[0] != '1' || text[1] != ' '))
        return WRONG(why, "key file %s is of another version; expected version 1; use a newer afferent", shown);
    if ((size == DIGITS + 2 || (size == DIGITS + 3 && text[DIGITS + 2] == '\n')) && text[0] == '1' && text[1] == ' ' &&
        digits_read(text + 2, ret_key))
        return true;
    return WRONG(why, "key file %s is damaged; expected one line, \"afferent-key 1\" and 64 hexadecimal digits; "
                 "take it from your copy, for no other key opens what this one sealed", shown);
}

static bool file_check(int fd, const char *shown, struct text *why)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return WRONG(why, "key file %s cannot be looked at: %s; expected a file that can; look after its disk",
                     shown, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return WRONG(why, "%s is no regular file; expected a key file; make one elsewhere: afferent key new PATH",
                     shown);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return WRONG(why, "key file %s belongs to somebody else; expected it to be of the user that runs this, or "
                     "of root; give it to that user with chown", shown);
    if (st.st_mode & 077)
        return WRONG(why, "key file %s may be read or written by others; expected permissions 0600; run: chmod 600 "
                     "%s", shown, shown);
    return true;
}

static bool bytes_read(int fd, const char *shown, uint8_t *ret_key, struct text *why)
{
    char text[FILE_MOST];
    size_t size = 0;
    ssize_t got = 1;
    bool ok;

    while (got > 0 && size < sizeof text) {
        got = read(fd, text + size, sizeof text - size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            size += (size_t)got;
    }
    if (got < 0)
        ok = WRONG(why, "key file %s cannot be read: %s; expected a file that can; look after its disk", shown,
                   strerror(errno));
    else
        ok = text_read(text, size, shown, ret_key, why);
    explicit_bzero(text, sizeof text);
    return ok;
}

/* Does not wait for a fifo that somebody put there. */
bool key_file_read(const char *path, const char *shown, uint8_t ret_key[KEY_FILE_BYTES], struct text *ret_why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool ok;

    memset(ret_key, 0, KEY_FILE_BYTES);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return WRONG(ret_why, "there is no key file %s; expected one; make it: afferent key new %s", shown, shown);
    if (fd < 0)
        return WRONG(ret_why, "key file %s cannot be opened: %s; expected a file that can; look after its "
                     "permissions", shown, strerror(errno));
    ok = file_check(fd, shown, ret_why) && bytes_read(fd, shown, ret_key, ret_why);
    if (!ok)
        explicit_bzero(ret_key, KEY_FILE_BYTES);
    close(fd);
    return ok;
}
