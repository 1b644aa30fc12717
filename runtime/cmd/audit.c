/* audit.c - see audit.h. */
#include "cmd/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "show/when.h"
#include "util/json.h"
#include "util/text.h"

enum { NO_LOGIN = -1 };

/* The user that logged in, also behind sudo: the kernel keeps it, nobody sets it. */
static int64_t login_uid(void)
{
    FILE *f = fopen("/proc/self/loginuid", "re");
    unsigned long uid = UINT32_MAX;

    if (!f)
        return NO_LOGIN;
    if (fscanf(f, "%lu", &uid) != 1)
        uid = UINT32_MAX;
    fclose(f);
    return uid == UINT32_MAX ? NO_LOGIN : (int64_t)uid;
}

static void write_user(struct json *json, const char *key, const char *name_key, uid_t uid)
{
    const struct passwd *who = getpwuid(uid);

    json_uint(json, key, uid);
    json_text(json, name_key, who ? who->pw_name : NULL);
}

static void write_line(struct json *json, const struct audit *a)
{
    struct timespec now = { 0, 0 };
    char when[WHEN_ROOM];
    int64_t login = login_uid();

    clock_gettime(CLOCK_REALTIME, &now);
    when_print(when, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    json_object(json, NULL);
    json_text(json, "time", when);
    write_user(json, "uid", "user", getuid());
    if (login >= 0)
        write_user(json, "login_uid", "login", (uid_t)login);
    json_uint(json, "pid", (uint64_t)getpid());
    json_text(json, "verb", a->verb);
    if (a->other)
        json_text(json, "of", a->other);
    if (a->letters) {
        json_array(json, "letters");
        for (size_t i = 0; i < a->count; i++)
            json_uint(json, NULL, a->letters[i]);
        json_end(json);
    }
    json_end(json);
    json_finish(json);
}

static bool line_make(const struct audit *a, char **ret_line, size_t *ret_size)
{
    FILE *out = open_memstream(ret_line, ret_size);
    struct json json;

    if (!out)
        return false;
    json_begin(&json, out, false);
    write_line(&json, a);
    return fclose(out) == 0;
}

/* One write: lines of several writers do not mix. */
static int line_append(const char *path, const char *line, size_t size)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), error = 0;
    ssize_t written;

    if (fd < 0)
        return errno;
    written = write(fd, line, size);
    if (written != (ssize_t)size)
        error = written < 0 ? errno : ENOSPC;
    else if (fsync(fd) != 0)
        error = errno;
    close(fd);
    return error;
}

bool audit_note(const char *folder, const struct audit *a)
{
    struct text path = { 0 };
    char *line = NULL;
    size_t size = 0;
    int error = ENOMEM;

    text_print(&path, "%s/audit.log", folder);
    if (!path.failed && line_make(a, &line, &size))
        error = line_append(path.data, line, size);
    if (error)
        fprintf(stderr, "afferent %s: nothing was done, because it cannot be noted in %s: %s\n", a->verb,
                path.data ? path.data : "audit.log", strerror(error));
    free(line);
    text_free(&path);
    return error == 0;
}
