/* fault.c - decides where a process is killed or a call fails (LD_PRELOAD).
 *
 * Counts the calls that change files below CRASH_FAULT_WATCH and, at number
 * CRASH_FAULT_AT, does what CRASH_FAULT_MODE says: kill -9 before or behind the
 * call or in the middle of a write, an error, a short write; the last three
 * CRASH_FAULT_FOR times in a row. CRASH_FAULT_PHASE counts only calls inside the
 * store's commit (1), or between the commit and the answer of the source (2).
 * Only the first process that has it in its environment is watched, not what that
 * starts.
 *
 * Not here: the calls themselves (fault_calls.c), the record for power cuts
 * (fault_trace.c). */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct fault_side nowhere;
struct fault_side *fault_side = &nowhere;

static struct {
    pid_t process;
    const char *watch;
    const char *far;
    uint64_t at;
    uint64_t times;
    useconds_t delay;
    enum fault_mode mode;
    enum fault_phase phase;
    _Atomic uint64_t counted;
} rule;

static uint64_t number(const char *name, uint64_t preset)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : preset;
}

static enum fault_mode mode_of(const char *text)
{
    static const char *const names[] = { "none", "before", "after", "half", "eio", "enospc", "short" };

    for (int i = 0; text && i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum fault_mode)i;
    return MODE_NONE;
}

static void side_open(const char *path)
{
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    void *map;

    if (fd < 0)
        return;
    if (syscall(SYS_ftruncate, fd, 4096L) == 0) {
        map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map != MAP_FAILED)
            fault_side = map;
    }
    (void)syscall(SYS_close, fd);
}

__attribute__((constructor)) static void fault_begin(void)
{
    const char *watched = getenv("CRASH_FAULT_PROCESS");
    char text[24];

    if (watched || !getenv("CRASH_FAULT_WATCH"))
        return;
    snprintf(text, sizeof text, "%d", (int)getpid());
    (void)setenv("CRASH_FAULT_PROCESS", text, 1);
    side_open(getenv("CRASH_FAULT_SIDE"));
    trace_open(getenv("CRASH_FAULT_TRACE"));
    rule.watch = getenv("CRASH_FAULT_WATCH");
    rule.far = getenv("CRASH_FAULT_FAR");
    rule.at = number("CRASH_FAULT_AT", 0);
    rule.times = number("CRASH_FAULT_FOR", 1);
    rule.delay = (useconds_t)number("CRASH_FAULT_DELAY_US", 0);
    rule.mode = mode_of(getenv("CRASH_FAULT_MODE"));
    rule.phase = (enum fault_phase)number("CRASH_FAULT_PHASE", 0);
    rule.process = getpid();
}

bool fault_is_on(void)
{
    return rule.process && rule.process == getpid();
}

/* ---- which file ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t size = folder ? strlen(folder) : 0;

    return size && strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static enum fault_file file_of(const char *path)
{
    const char *name = strrchr(path, '/');

    if (is_below(path, rule.far))
        return name && strcmp(name, "/answers.log") == 0 ? FILE_ANSWERS : FILE_FAR;
    if (!is_below(path, rule.watch))
        return FILE_OTHER;
    if (!strstr(path, "/state/"))
        return FILE_ARCHIVE;
    return name && strcmp(name, "/data.mdb") == 0 ? FILE_STORE_DATA : FILE_STORE_BESIDE;
}

bool fault_fd(struct fault_op *op, enum fault_call call, int fd)
{
    char link[40];
    ssize_t n;

    if (!fault_is_on())
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, op->path, sizeof op->path - 1);
    if (n <= 0)
        return false;
    op->path[n] = '\0';
    op->call = call;
    op->file = file_of(op->path);
    op->placed = false;
    return op->file != FILE_OTHER;
}

bool fault_path(struct fault_op *op, enum fault_call call, int folder, const char *path)
{
    size_t size = 0;

    if (!fault_is_on() || !path)
        return false;
    op->path[0] = '\0';
    if (path[0] != '/' && folder != AT_FDCWD) {
        if (!fault_fd(op, call, folder))
            return false;
        size = strlen(op->path);
    } else if (path[0] != '/' && getcwd(op->path, sizeof op->path)) {
        size = strlen(op->path);
    }
    if (size + strlen(path) + 2 > sizeof op->path)
        return false;
    if (size)
        op->path[size++] = '/';
    strcpy(op->path + size, path);
    op->call = call;
    op->file = file_of(op->path);
    op->placed = false;
    return op->file != FILE_OTHER;
}

/* ---- where ---- */

static void place(const struct fault_op *op)
{
    struct fault_side *s = fault_side;

    s->hit = 1;
    s->hit_call = op->call;
    s->hit_file = op->file;
    s->hit_phase = s->phase;
    s->hit_mode = rule.mode;
}

void fault_die(void)
{
    if (rule.delay)
        (void)usleep(rule.delay);
    for (;;)
        (void)syscall(SYS_kill, getpid(), SIGKILL);
}

enum fault_mode fault_before(struct fault_op *op)
{
    struct fault_side *s = fault_side;
    uint64_t turn;

    if (op->file == FILE_FAR)
        return MODE_NONE;
    if (op->file == FILE_STORE_DATA && op->call == CALL_WRITE)
        s->phase = PHASE_COMMIT;
    s->calls++;
    if (!rule.at || (rule.phase != PHASE_ELSEWHERE && rule.phase != s->phase))
        return MODE_NONE;
    turn = ++rule.counted;
    if (turn < rule.at || turn >= rule.at + rule.times)
        return MODE_NONE;
    if (rule.mode >= MODE_EIO && op->file == FILE_ANSWERS)
        return MODE_NONE;
    if (rule.mode == MODE_AFTER || (rule.mode == MODE_HALF && op->call != CALL_WRITE)) {
        op->placed = true;
        return MODE_NONE;
    }
    place(op);
    if (rule.mode == MODE_BEFORE || op->file == FILE_ANSWERS) /* half a line would be a torn far end */
        fault_die();
    if (rule.mode >= MODE_EIO)
        s->failed++;
    return rule.mode;
}

enum { META_PAGES = 2 * 4096 };

void fault_after(struct fault_op *op, int64_t offset, int64_t result)
{
    struct fault_side *s = fault_side;

    if (result >= 0 && op->file == FILE_STORE_DATA && op->call == CALL_WRITE && offset < META_PAGES) {
        s->phase = PHASE_ANSWER;
        s->commits++;
    }
    if (op->file == FILE_ANSWERS && op->call == CALL_WRITE) {
        s->phase = PHASE_ELSEWHERE;
        s->answers++;
    }
    if (!op->placed)
        return;
    place(op);
    fault_die();
}
