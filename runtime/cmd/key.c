/* key.c - `afferent key new`: makes a key file for nodes that need one.
 *
 * A key file is one line: its format and version, then 32 random bytes in
 * hexadecimal digits. With --curve it is a pair for the link between two Afferents:
 * NAME.key holds both keys, NAME.pub the public one, for the other end. What is secret
 * is readable by its owner alone from the first moment, and a file that is there
 * already is never written over: with a lost key go all pseudonyms that were made
 * with it.
 *
 * Not here: what a key is used for (the node that names the file). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "cmd/verbs.h"
#include "cmd/words.h"
#include "util/text.h"

enum { KEY_BYTES = 32, CURVE_TEXT = 41 };

static int failed(const char *path, int error)
{
    fprintf(stderr, "afferent key new: %s: %s%s\n", path, strerror(error),
            error == EEXIST ? "; a key is never written over: choose another name, or move that one away"
            : error == ENOENT ? "; make the folder first" : "");
    return error == EEXIST || error == ENOENT ? EXIT_USAGE : EXIT_ERROR;
}

/* The file appears whole, or not at all; its permissions are these whatever the umask
 * says. 0, or errno. */
static int file_make(const char *path, mode_t mode, const char *line)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), error = 0;
    size_t size = strlen(line);

    if (fd < 0)
        return errno;
    errno = 0;
    if (write(fd, line, size) != (ssize_t)size || fchmod(fd, mode) != 0 || fsync(fd) != 0)
        error = errno ? errno : EIO;
    if (close(fd) != 0 && !error)
        error = errno;
    if (error)
        unlink(path);
    return error;
}

static int key_new(const char *path)
{
    char line[sizeof "afferent-key 1 \n" + 2 * KEY_BYTES];
    unsigned char key[KEY_BYTES];
    size_t used = 0;
    int error;

    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return failed(path, EIO);
    used = (size_t)snprintf(line, sizeof line, "afferent-key 1 ");
    for (size_t i = 0; i < sizeof key; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%02x", key[i]);
    (void)snprintf(line + used, sizeof line - used, "\n");
    error = file_make(path, 0600, line);
    explicit_bzero(key, sizeof key);
    explicit_bzero(line, sizeof line);
    if (error)
        return failed(path, error);
    printf("a new key is in %s; keep a copy at a safe place\n", path);
    return EXIT_DONE;
}

/* Both files, or none. */
static int pair_write(const char *secret_path, const char *public_path)
{
    char public_key[CURVE_TEXT], secret_key[CURVE_TEXT], line[sizeof "afferent-curve-public 1 \n" + 2 * CURVE_TEXT];
    const char *path = secret_path;
    int error;

    if (zmq_curve_keypair(public_key, secret_key) != 0)
        return failed(secret_path, errno);
    (void)snprintf(line, sizeof line, "afferent-curve-key 1 %s %s\n", public_key, secret_key);
    error = file_make(secret_path, 0600, line);
    explicit_bzero(secret_key, sizeof secret_key);
    explicit_bzero(line, sizeof line);
    if (!error) {
        path = public_path;
        (void)snprintf(line, sizeof line, "afferent-curve-public 1 %s\n", public_key);
        error = file_make(public_path, 0644, line);
        if (error)
            unlink(secret_path);
    }
    if (error)
        return failed(path, error);
    printf("a new pair is in %s and %s; the other end gets %s, %s stays here\n", secret_path, public_path, public_path,
           secret_path);
    return EXIT_DONE;
}

static int pair_new(const char *name)
{
    struct text secret_path = { 0 }, public_path = { 0 };
    int code;

    text_print(&secret_path, "%s.key", name);
    text_print(&public_path, "%s.pub", name);
    code = secret_path.failed || public_path.failed ? failed(name, ENOMEM) : pair_write(secret_path.data, public_path.data);
    text_free(&secret_path);
    text_free(&public_path);
    return code;
}

/* What `key new` was told; the verb runs once a process. */
static bool is_curve;

static const struct args_flag flags_new[] = {
    { .name = "curve", .kind = ARGS_SWITCH, .into = &is_curve,
      .doc = "a pair for the link between two Afferents, FILE.key and FILE.pub" },
};

static const struct args_about about_new = {
    .verb = "key new",
    .operands = "FILE",
    .summary = "makes a key file",
    .more = "Keep a copy at a safe place: without the key, pseudonyms that were made with it\n"
            "cannot be made again.\n",
    .examples = "  afferent key new /etc/afferent/ward.key       makes one\n"
                "  afferent key new --curve /etc/afferent/bed-1  makes bed-1.key, which stays, and bed-1.pub\n",
    .flags = flags_new,
    .flag_count = sizeof flags_new / sizeof flags_new[0],
    .least = 1,
    .most = 1,
};

static int key_run(size_t which, int argc, char **argv)
{
    struct args_list operands = { NULL, 0 };
    int code = args_read(&about_new, argc, argv, &operands);

    (void)which;
    if (code < 0)
        code = is_curve ? pair_new(operands.words[0]) : key_new(operands.words[0]);
    args_free(&operands);
    return code;
}

int verb_key(int argc, char **argv)
{
    static const struct words words = { "key", "makes keys", &about_new, sizeof about_new, 1, key_run };

    return words_run(&words, argc, argv);
}
