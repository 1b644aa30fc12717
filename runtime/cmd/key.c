/* key.c - `afferent key new`: makes a key file for nodes that need one.
 *
 * A key file is one line: its format and version, then 32 random bytes in
 * hexadecimal digits. It is readable by its owner alone from the first moment,
 * and a file that is there already is never written over: with a lost key go all
 * pseudonyms that were made with it.
 *
 * Not here: what a key is used for (the node that names the file). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/verbs.h"
#include "cmd/words.h"

enum { KEY_BYTES = 32 };

static int failed(const char *path, int error)
{
    fprintf(stderr, "afferent key new: %s: %s%s\n", path, strerror(error),
            error == EEXIST ? "; a key is never written over: choose another name, or move that one away"
            : error == ENOENT ? "; make the folder first" : "");
    return error == EEXIST || error == ENOENT ? EXIT_USAGE : EXIT_ERROR;
}

static int line_write(int fd)
{
    char line[sizeof "afferent-key 1 \n" + 2 * KEY_BYTES];
    unsigned char key[KEY_BYTES];
    size_t used = 0;
    int error = 0;

    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return errno ? errno : EIO;
    used = (size_t)snprintf(line, sizeof line, "afferent-key 1 ");
    for (size_t i = 0; i < sizeof key; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%02x", key[i]);
    line[used++] = '\n';
    if (write(fd, line, used) != (ssize_t)used || fsync(fd) != 0)
        error = errno ? errno : EIO;
    explicit_bzero(key, sizeof key);
    explicit_bzero(line, sizeof line);
    return error;
}

static int key_new(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), error;

    if (fd < 0)
        return failed(path, errno);
    errno = 0;
    error = fchmod(fd, 0600) != 0 ? errno : line_write(fd); /* whatever the umask says */
    if (close(fd) != 0 && !error)
        error = errno;
    if (error) {
        unlink(path);
        return failed(path, error);
    }
    printf("a new key is in %s; keep a copy at a safe place\n", path);
    return EXIT_DONE;
}

static const struct args_about about_new = {
    .verb = "key new",
    .operands = "FILE",
    .summary = "makes a key file",
    .more = "Keep a copy at a safe place: without the key, pseudonyms that were made with it\n"
            "cannot be made again.\n",
    .examples = "  afferent key new /etc/afferent/ward.key    makes one\n",
    .least = 1,
    .most = 1,
};

static int key_run(size_t which, int argc, char **argv)
{
    struct args_list operands = { NULL, 0 };
    int code = args_read(&about_new, argc, argv, &operands);

    (void)which;
    if (code < 0)
        code = key_new(operands.words[0]);
    args_free(&operands);
    return code;
}

int verb_key(int argc, char **argv)
{
    static const struct words words = { "key", "makes keys", &about_new, sizeof about_new, 1, key_run };

    return words_run(&words, argc, argv);
}
