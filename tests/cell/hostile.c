/* hostile.c - the deeds of hostile.h. All of it happens in a child alone.
 *
 * What must not be possible ends by abort() where it was possible, or writes a file
 * that the test looks for.
 *
 * Not here: the plugins that do them (hostile_plugins.c). */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cell/page.h"

enum { SPINNERS = 100 };

/* ---- what is shared, as anybody in the process can find it ---- */

struct area {
    uint8_t *from, *to;
};

static struct area area_find(const char *name, const char *rights)
{
    struct area a = { NULL, NULL };
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], mode[8];
    unsigned long from, to;

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, name) && sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && strncmp(mode, rights, 2) == 0)
            a = (struct area){ (uint8_t *)from, (uint8_t *)to };
    if (maps)
        fclose(maps);
    return a;
}

static void *scribble(void *arg)
{
    struct area a = area_find("afferent-child", "rw");
    uint64_t x = 88172645463325252u;
    int rounds = arg ? 1 << 30 : 1;

    while (a.from && rounds-- > 0)
        for (uint8_t *p = a.from; p + 8 <= a.to; p += 8) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            memcpy(p, &x, 8);
        }
    return NULL;
}

static void forever(void)
{
    volatile uint64_t n = 0;

    for (;;)
        n++;
}

static void signals_block(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 1; i < 65; i++)
        signal(i, SIG_IGN);
}

__attribute__((noinline)) static uint64_t stack_eat(volatile uint64_t depth)
{
    volatile uint8_t big[4096];

    big[depth % sizeof big] = (uint8_t)depth;
    return depth == UINT64_MAX ? 0 : stack_eat(depth + 1) + big[0];
}

/* Some way down of it, at least, a write must end it. */
static void null_write(void)
{
    volatile uintptr_t nowhere = 16;

    *(volatile int *)nowhere = 1;
}

static void *sleeper(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static void threads_make(void)
{
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 16384);
    for (;;)
        if (pthread_create(&thread, &attr, sleeper, NULL) != 0)
            usleep(1000);
}

static void *spinner(void *arg)
{
    (void)arg;
    forever();
    return NULL;
}

/* All the processor time that there is, by as many as nobody minds. */
static void threads_spin(void)
{
    static bool spins;
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    for (int i = 0; i < SPINNERS && !spins; i++)
        if (pthread_create(&thread, &attr, spinner, NULL) != 0)
            abort();
    spins = true;
}

static void truncate_all(void)
{
    char path[64];

    for (int fd = 0; fd < 64; fd++) {
        if (ftruncate(fd, 0) == 0 && fd > 6)
            abort();
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        close(open(path, O_RDWR | O_TRUNC));
    }
}

static void proof(const char *what)
{
    fprintf(stderr, "hostile: %s was possible\n", what);
    abort();
}

static void parent_trace(void)
{
    char byte = 0;
    struct iovec mine = { &byte, 1 }, theirs = { (void *)&environ, 1 };

    if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0)
        proof("ptrace");
    if (process_vm_readv(getppid(), &mine, 1, &theirs, 1, 0) > 0)
        proof("reading another process");
}

static void parent_memory(void)
{
    struct rlimit low = { 1, 1 };
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/mem", (int)getppid());
    fd = open(path, O_RDWR);
    if (fd >= 0)
        proof("the memory of its parent");
    if (prlimit(getppid(), RLIMIT_NOFILE, &low, NULL) == 0)
        proof("limits of its parent");
}

static void parent_kill(void)
{
    union sigval value = { 0 };

    kill(getppid(), SIGKILL);
    sigqueue(getppid(), SIGKILL, value);
}

static void program_start(void)
{
    char *const arguments[] = { (char *)(uintptr_t)"sh", NULL };

    execv("/bin/sh", arguments);
    if (system("true") == 0)
        proof("another program");
}

/* Another answer than that which the host waits for. */
static void done_forge(uint64_t used, uint32_t number)
{
    struct area a = area_find("afferent-child", "rw");
    struct child_page *page = (struct child_page *)(void *)a.from;

    page->done = (struct page_done){ .call = PAGE_CALL_BATCH, .number = number, .used = used, .taken = 1 };
    atomic_store(&page->post, PAGE_POST_DONE);
    atomic_fetch_add(&page->bell, 1);
    forever();
}

static void ask_forge(void)
{
    struct area a = area_find("afferent-child", "rw");
    struct child_page *page = (struct child_page *)(void *)a.from;

    page->asked = (struct page_asked){ PAGE_ASK_STREAM, 0xffffffffu, UINT64_MAX, UINT64_MAX, UINT64_MAX };
    atomic_store(&page->post, PAGE_POST_ASK);
    atomic_fetch_add(&page->bell, 1);
    forever();
}

/* ---- records that are not what they say ---- */

static struct aff_record *honest(const struct hostile_self *h, uint32_t input, const struct aff_record *r)
{
    const struct aff_host *host = h->host;
    struct aff_record *d = host->reserve(host, 1, input, aff_row_size(1, 4));
    struct aff_row w;

    if (!d)
        return NULL;
    w = aff_row_begin(d, 1);
    aff_row_put_text(&w, 0, "text", 4);
    d->stream = host->stream(host, r->subject, "rows", d->schema);
    host->emit(host, d, aff_row_end(&w));
    return d;
}

static void record_forge(const struct hostile_self *h, enum hostile what, uint32_t input, const struct aff_record *r)
{
    struct aff_record *d = honest(h, input, r);
    struct entry *e = d ? (struct entry *)d->data - 1 : NULL;
    uint64_t *row = d ? d->data : NULL;

    if (!e)
        return;
    switch (what) {
    case H_LENGTH:
        e->size = 0x7fffffff;
        e->span = 0xfffffff0;
        break;
    case H_OFFSET:
        e->span = 0;
        break;
    case H_OFFSET_TEXT:
        row[1] = (uint64_t)4 << 32 | 0x40000000;
        break;
    case H_PORT:
        e->port = 77;
        break;
    case H_INPUT:
        e->input = 4711;
        break;
    case H_STREAM:
        e->stream = 0x00ffffff;
        e->set |= SET_STREAM;
        break;
    case H_SUBJECT:
        e->subject = r->subject == 1 ? 2 : 1;
        e->set |= SET_SUBJECT;
        break;
    case H_TIME:
        e->event_ns = INT64_MAX;
        e->set |= SET_EVENT;
        break;
    case H_SCHEMA:
        e->schema = 999;
        e->set |= SET_SCHEMA;
        break;
    case H_KIND:
        e->kind = 4000;
        break;
    case H_RELEASE:
        e->kind = ENTRY_RELEASE;
        e->a = 5;
        break;
    default: /* done elsewhere: nothing is made */
        e->kind = ENTRY_SKIP;
        break;
    }
}

/* Bits of what was written down, a few at random: what is nearly right. */
static void flip(const struct hostile_self *h, uint32_t input, const struct aff_record *r)
{
    static uint64_t x = 88172645463325252u;
    struct aff_record *d = NULL;

    x ^= (uint64_t)getpid() << 7;
    for (int i = 0; i < 4; i++) {
        d = honest(h, input, r);
        h->host->stream_end(h->host, 1, d ? d->stream : 0);
    }
    for (uint64_t i = 0; d && i < 1 + x % 3; i++) {
        uint8_t *e;

        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        e = (uint8_t *)((struct entry *)d->data - 1) - (x >> 8) % 300;
        *e ^= (uint8_t)(1u << (x & 7));
    }
}

static void *die_later(void *arg)
{
    (void)arg;
    usleep(2000);
    _exit(3);
}

static void thousand(const struct hostile_self *h, uint32_t input, const struct aff_record *r)
{
    for (int i = 0; i < 1000; i++)
        honest(h, input, r);
}

static void state_fill(const struct hostile_self *h)
{
    struct area a = area_find("afferent-state", "rw");

    h->host->state(h->host, 1);
    for (uint8_t *p = a.from; p < a.to; p += 64)
        *p = 1;
}

static void memory_leak(void)
{
    volatile char *leak = malloc(1 << 20);

    if (!leak)
        abort();
    for (int i = 0; i < 1 << 20; i += 4096)
        leak[i] = 1;
}

static void descriptors_take(void)
{
    while (dup(0) >= 0)
        continue;
}

static void forks_make(void)
{
    for (int i = 0; i < 200; i++)
        if (fork() == 0)
            forever();
}

static void thread_begin(void *(*what)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, what, arg) != 0)
        abort();
}

static void scribble_once(void)
{
    scribble(NULL);
}

static void scribble_long(void)
{
    static char on;

    thread_begin(scribble, &on);
    usleep(1000);
}

static void length_forge(void)
{
    done_forge(UINT64_MAX - 15, 0);
}

static void number_forge(void)
{
    done_forge(0, 0x7777);
}

static void socket_open(void)
{
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
        proof("a socket");
}

static void file_write(void)
{
    if (open("/tmp/afferent-hostile-was-here", O_CREAT | O_RDWR, 0600) >= 0)
        proof("writing a file");
}

static void leave(void)
{
    exit(0);
}

static void stack_overflow(void)
{
    stack_eat(1);
}

static void loop_blocked(void)
{
    signals_block();
    forever();
}

static void die_soon(void)
{
    thread_begin(die_later, NULL);
}

static void *threads_later(void *arg)
{
    (void)arg;
    usleep(20000);
    threads_make();
    return NULL;
}

static void threads_soon(void)
{
    thread_begin(threads_later, NULL);
}

static void (*const deeds[H_COUNT])(void) = {
    [H_ABORT] = abort,
    [H_SEGFAULT] = null_write,
    [H_STACK] = stack_overflow,
    [H_EXIT] = leave,
    [H_LOOP] = forever,
    [H_BLOCKED] = loop_blocked,
    [H_LEAK] = memory_leak,
    [H_THREADS] = threads_make,
    [H_FDS] = descriptors_take,
    [H_FORKS] = forks_make,
    [H_SCRIBBLE] = scribble_once,
    [H_SCRIBBLE_LONG] = scribble_long,
    [H_LENGTH_USED] = length_forge,
    [H_NUMBER] = number_forge,
    [H_ASK] = ask_forge,
    [H_TRUNCATE] = truncate_all,
    [H_KILL] = parent_kill,
    [H_PTRACE] = parent_trace,
    [H_EXEC] = program_start,
    [H_SOCKET] = socket_open,
    [H_WRITE_FILE] = file_write,
    [H_MEMORY] = parent_memory,
    [H_THREADS_LATER] = threads_soon,
    [H_DONE_DIE] = die_soon,
    [H_SPIN] = threads_spin,
};

static void logs_write(const struct hostile_self *h)
{
    for (int i = 0; i < 20000; i++)
        h->host->log(h->host, 1000, "%%n%%s line %d \033[2J", i);
}

void hostile_act(const struct hostile_self *h)
{
    enum hostile what = (enum hostile)h->config->what;

    if (what < H_COUNT && deeds[what])
        deeds[what]();
    if (what == H_STATE)
        state_fill(h);
    if (what == H_LOG)
        logs_write(h);
}

void hostile_record(const struct hostile_self *h, const struct aff_batch *batch, uint32_t i)
{
    enum hostile what = (enum hostile)h->config->what;

    if (what == H_VERDICT)
        batch->verdicts[i] = 200;
    else if (what == H_THOUSAND)
        thousand(h, i, &batch->records[i]);
    else if (what == H_FLIP)
        flip(h, i, &batch->records[i]);
    else if (what >= H_LENGTH && what <= H_RELEASE)
        record_forge(h, what, i, &batch->records[i]);
    hostile_act(h);
}
