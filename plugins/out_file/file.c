/* file.c - one file that grows by whole records, see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What files of ours begin with. */
static const char *const begins[] = { [TEXT_CSV] = "time,subject,stream", [TEXT_JSON] = "{\"time\":" };

struct scan {
    int quoted;
    int first_over;
    off_t at;
    off_t whole; /* behind the last line break */
};

static int scan_bytes(struct file *f, struct scan *s, const char *bytes, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        s->quoted ^= f->style == TEXT_CSV && bytes[i] == '"';
        s->at++;
        if (bytes[i] != '\n' || s->quoted)
            continue;
        s->whole = s->at;
        if (!s->first_over)
            text_add(&f->first, bytes, i + 1);
        s->first_over = 1;
    }
    if (!s->first_over && f->first.size < 65536)
        text_add(&f->first, bytes, size);
    return !f->first.failed;
}

/* Whether what is there is ours, if only the beginning of it. */
static int file_is_ours(const struct file *f)
{
    size_t size = strlen(begins[f->style]);

    return !memcmp(f->first.bytes, begins[f->style], size < f->first.size ? size : f->first.size);
}

/* Reads the file to its end: the first line, and where whole lines end. */
static int file_scan(struct file *f)
{
    struct scan s = { 0, 0, 0, 0 };
    char bytes[16384];
    ssize_t got;

    while ((got = read(f->fd, bytes, sizeof bytes)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || !scan_bytes(f, &s, bytes, (size_t)got))
            return 0;
    }
    f->resume = s.whole;
    return 1;
}

static const char *file_look(struct file *f, enum exists exists)
{
    struct stat st;

    if (fstat(f->fd, &st))
        return "cannot be looked at";
    f->stream = !S_ISREG(st.st_mode);
    if (f->stream)
        return NULL;
    if (flock(f->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        return "is written by another process or node: each needs a path of its own";
    if (st.st_size && exists == EXISTS_REFUSE) {
        errno = EEXIST;
        return "is there already: remove it, choose another path, or set when_exists";
    }
    if (exists == EXISTS_REPLACE && ftruncate(f->fd, 0))
        return "cannot be emptied";
    if (st.st_size && exists == EXISTS_APPEND && !file_scan(f))
        return "cannot be read to its end";
    if (f->first.size && !file_is_ours(f)) {
        errno = EEXIST;
        return "has lines that are not of this plugin: choose another path";
    }
    if (!f->resume)
        f->first.size = 0;
    return NULL;
}

const char *file_open(struct file *f, const char *path, enum exists exists, enum text_style style)
{
    const char *problem = NULL;

    memset(f, 0, sizeof *f);
    f->style = style;
    f->path = strdup(path);
    f->fd = -1;
    if (!f->path)
        return "cannot be opened";
    if (!strcmp(path, "-"))
        f->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    else
        f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (f->fd < 0 && errno == EACCES) /* a device that can only be written */
        f->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (f->fd < 0)
        problem = "cannot be opened";
    else if (!strcmp(path, "-"))
        f->stream = 1;
    else
        problem = file_look(f, exists);
    if (problem) {
        int saved = errno;

        file_close(f);
        errno = saved;
    }
    return problem;
}

void file_close(struct file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    text_free(&f->first);
    text_free(&f->wait);
    memset(f, 0, sizeof *f);
    f->fd = -1;
}

/* Cuts off what a crash has torn; only now, when the file proved to be ours. */
static int file_resume(struct file *f)
{
    if (f->stream || f->resume < 0)
        return 1;
    if (ftruncate(f->fd, f->resume) || lseek(f->fd, f->resume, SEEK_SET) < 0)
        return 0;
    f->resume = -1;
    return 1;
}

int file_begin(struct file *f, const struct text *first)
{
    size_t before = f->wait.size;

    if (f->first.size && f->style == TEXT_CSV
        && (f->first.size != first->size || memcmp(f->first.bytes, first->bytes, first->size)))
        return 0;
    if (!file_resume(f))
        return -1;
    if (f->first.size || !first->size)
        return 1;
    text_add(&f->first, first->bytes, first->size);
    text_add(&f->wait, first->bytes, first->size);
    if (!f->first.failed && !f->wait.failed)
        return 1;
    f->first.failed = f->wait.failed = 0;
    f->first.size = 0;
    f->wait.size = before;
    errno = ENOMEM;
    return -1;
}

int file_flush(struct file *f)
{
    while (f->sent < f->wait.size) {
        ssize_t put = write(f->fd, f->wait.bytes + f->sent, f->wait.size - f->sent);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? errno : EIO;
        f->sent += (size_t)put;
        f->unsynced = 1;
    }
    f->sent = 0;
    f->wait.size = 0;
    return 0;
}

int file_sync(struct file *f)
{
    int rc = file_flush(f);

    if (rc)
        return rc;
    if (f->lost)
        return EIO;
    if (f->stream || !f->unsynced)
        return 0;
    if (fsync(f->fd)) {
        /* The kernel forgets what it could not write and says so once: the
         * next fsync would succeed over a hole. */
        f->lost = 1;
        return errno;
    }
    f->unsynced = 0;
    return 0;
}
