/* seccomp.c - which system calls a child may make, as a BPF program made by hand.
 *
 * A list of what is allowed; everything else answers EPERM, so that a library which
 * tries something goes on without it. Arguments are looked at where a call is fine
 * for oneself and not for others: files opened for reading, threads and no processes,
 * signals to oneself.
 *
 * Not here: which files (Landlock, in confine.c). */
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/confine.h"

#if defined(__x86_64__) || defined(__aarch64__)

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#else
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

enum { ROWS = 1024, X32_BIT = 0x40000000 };

static const int always[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_close,
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_lseek, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_madvise,
    SYS_brk, SYS_mincore, SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_rt_sigpending, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_restart_syscall,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_getpid, SYS_gettid,
    SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups, SYS_getresuid, SYS_getresgid,
    SYS_getrandom, SYS_sched_yield, SYS_sched_getaffinity, SYS_getcpu, SYS_membarrier, SYS_exit, SYS_exit_group,
    SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_dup, SYS_dup3, SYS_pipe2, SYS_eventfd2,
    SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_timerfd_create,
    SYS_timerfd_settime, SYS_timerfd_gettime, SYS_uname, SYS_sysinfo, SYS_getrlimit, SYS_getrusage, SYS_times,
    SYS_getpgid, SYS_getsid, SYS_getpriority, SYS_set_tid_address, SYS_fadvise64, SYS_readahead, SYS_statfs, SYS_fstatfs,
    SYS_fsync, SYS_fdatasync, SYS_flock, SYS_capget, SYS_umask, SYS_sched_getparam, SYS_sched_getscheduler,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_arch_prctl
    SYS_arch_prctl, SYS_access, SYS_stat, SYS_lstat, SYS_readlink, SYS_dup2, SYS_pipe, SYS_poll, SYS_select,
    SYS_epoll_create, SYS_epoll_wait, SYS_time, SYS_getpgrp, SYS_pause, SYS_eventfd,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
#ifdef SYS_futex_waitv
    SYS_futex_waitv,
#endif
};

static const int files[] = {
    SYS_openat, SYS_ftruncate, SYS_truncate, SYS_fallocate, SYS_unlinkat, SYS_renameat2, SYS_mkdirat, SYS_linkat,
    SYS_symlinkat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_sync_file_range, SYS_syncfs,
    SYS_msync, SYS_copy_file_range, SYS_sendfile, SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
#ifdef SYS_renameat
    SYS_renameat,
#endif
#ifdef SYS_arch_prctl
    SYS_open, SYS_creat, SYS_unlink, SYS_rename, SYS_mkdir, SYS_rmdir, SYS_link, SYS_symlink, SYS_chmod, SYS_chown,
    SYS_inotify_init,
#endif
};

static const int net[] = {
    SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_getsockname, SYS_getpeername, SYS_sendto,
    SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_shutdown, SYS_setsockopt, SYS_getsockopt,
    SYS_socketpair, SYS_sendfile,
};

static const int device[] = {
    SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch,
};

/* Of ioctl: what all but compute may ask, what sockets and lines have beside. Not there:
 * TIOCSTI, which types for the user at a terminal; TIOCSCTTY, TIOCSETD, TIOCSSERIAL. */
static const uint32_t ioctls[] = { FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, FIOQSIZE, TCGETS, TCGETS2, TIOCGWINSZ };
static const uint32_t net_ioctls[] = { SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFBRDADDR, SIOCGIFINDEX,
                                       SIOCGIFNAME, SIOCGIFMTU, SIOCGIFHWADDR, SIOCOUTQ, SIOCATMARK };
static const uint32_t device_ioctls[] = { TCSETS, TCSETSW, TCSETSF, TCSETS2, TCSETSW2, TCSETSF2, TCSBRK, TCSBRKP, TCXONC,
                                          TCFLSH, TIOCSBRK, TIOCCBRK, TIOCEXCL, TIOCNXCL, TIOCGEXCL, TIOCMGET, TIOCMBIS,
                                          TIOCMBIC, TIOCMSET, TIOCMIWAIT, TIOCGICOUNT, TIOCOUTQ, TIOCGSERIAL,
                                          TIOCSERGETLSR, TIOCGRS485, TIOCSRS485 };


struct program {
    struct sock_filter rows[ROWS];
    unsigned short count;
};

static void add(struct program *p, struct sock_filter row)
{
    if (p->count < ROWS)
        p->rows[p->count] = row;
    p->count++;
}

static void load(struct program *p, size_t at)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at));
}

static void answer(struct program *p, uint32_t what)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

static void jump(struct program *p, uint16_t test, uint32_t k, uint8_t yes, uint8_t no)
{
    add(p, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | test), k, yes, no));
}

#define ARGUMENT(i) (offsetof(struct seccomp_data, args) + (i) * sizeof(uint64_t)) /* little-endian: the low half */
#define REFUSE(error) (SECCOMP_RET_ERRNO | (uint32_t)(error))

/* The number of the call is loaded; it stays so behind each of these. */
static void allow(struct program *p, int call)
{
    jump(p, BPF_JEQ, (uint32_t)call, 0, 1);
    answer(p, SECCOMP_RET_ALLOW);
}

static void allow_list(struct program *p, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        allow(p, calls[i]);
}

static void refuse(struct program *p, int call, int error)
{
    jump(p, BPF_JEQ, (uint32_t)call, 0, 1);
    answer(p, REFUSE(error));
}

/* Allowed where argument `i` is one of these; else EPERM. */
static void allow_where(struct program *p, int call, int i, const uint32_t *values, uint8_t count)
{
    jump(p, BPF_JEQ, (uint32_t)call, 0, (uint8_t)(count + 3));
    load(p, ARGUMENT((size_t)i));
    for (uint8_t k = 0; k < count; k++)
        jump(p, BPF_JEQ, values[k], (uint8_t)(count - k), 0);
    answer(p, REFUSE(EPERM));
    answer(p, SECCOMP_RET_ALLOW);
}

/* Allowed where no bit of `mask` is set in argument `i`, or (with `wanted`) all are. */
static void allow_bits(struct program *p, int call, int i, uint32_t mask, bool wanted)
{
    jump(p, BPF_JEQ, (uint32_t)call, 0, 5);
    load(p, ARGUMENT((size_t)i));
    add(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
    jump(p, BPF_JEQ, wanted ? mask : 0, 1, 0);
    answer(p, REFUSE(EPERM));
    answer(p, SECCOMP_RET_ALLOW);
}

/* A call that answers "not known", so that libraries use the older one, whose
 * arguments can be looked at. */
static void newer_refuse(struct program *p)
{
    refuse(p, SYS_clone3, ENOSYS);
#ifdef SYS_openat2
    refuse(p, SYS_openat2, ENOSYS);
#endif
}

static void self_only(struct program *p)
{
    const uint32_t self[] = { (uint32_t)getpid() };
    const uint32_t zero[] = { 0 };
    const uint32_t flags[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
                               F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_ADD_SEALS, F_GET_SEALS, F_GETPIPE_SZ };
    const uint32_t words[] = { PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_SECCOMP, PR_CAPBSET_READ,
                               PR_GET_NO_NEW_PRIVS, PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, 0x53564d41 /* names of maps */ };

    allow_where(p, SYS_tgkill, 0, self, 1);
    allow_where(p, SYS_kill, 0, self, 1);
    allow_where(p, SYS_prlimit64, 0, zero, 1);
    allow_where(p, SYS_sched_setaffinity, 0, zero, 1);
    allow_where(p, SYS_fcntl, 1, flags, sizeof flags / sizeof flags[0]);
    allow_where(p, SYS_prctl, 0, words, sizeof words / sizeof words[0]);
    allow_bits(p, SYS_clone, 0, CLONE_THREAD | CLONE_VM, true);
}

#ifndef O_TMPFILE_BIT
#define O_TMPFILE_BIT 020000000
#endif

static uint32_t add_values(uint32_t *to, uint32_t at, const uint32_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[at++] = values[i];
    return at;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void ioctls_allow(struct program *p, uint32_t profile)
{
    uint32_t values[COUNT(ioctls) + COUNT(net_ioctls) + COUNT(device_ioctls)];
    uint32_t count = add_values(values, 0, ioctls, COUNT(ioctls));

    if (profile == PROFILE_COMPUTE)
        return;
    if (profile & PROFILE_NET)
        count = add_values(values, count, net_ioctls, COUNT(net_ioctls));
    if (profile & PROFILE_DEVICE)
        count = add_values(values, count, device_ioctls, COUNT(device_ioctls));
    allow_where(p, SYS_ioctl, 1, values, (uint8_t)count);
}

static void by_profile(struct program *p, uint32_t profile)
{
    const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
    const uint32_t makes = O_CREAT | O_TRUNC | O_TMPFILE_BIT;
    const uint32_t writes = profile & PROFILE_DEVICE ? makes : O_WRONLY | O_RDWR | O_APPEND | makes;

    ioctls_allow(p, profile);
    if (profile & PROFILE_DEVICE)
        allow_list(p, device, sizeof device / sizeof device[0]);
    if (profile & PROFILE_FILES) {
        allow_list(p, files, sizeof files / sizeof files[0]);
    } else {
        allow_bits(p, SYS_openat, 2, writes, false);
#ifdef SYS_open
        allow_bits(p, SYS_open, 1, writes, false);
#endif
    }
    if (profile & PROFILE_NET) {
        allow_list(p, net, sizeof net / sizeof net[0]);
        allow_where(p, SYS_socket, 0, families, sizeof families / sizeof families[0]);
    }
}

int seccomp_install(uint32_t profile)
{
    static struct program p;
    struct sock_fprog all = { .filter = p.rows };

    p.count = 0;
    load(&p, offsetof(struct seccomp_data, arch));
    jump(&p, BPF_JEQ, THIS_ARCH, 1, 0);
    answer(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
    jump(&p, BPF_JGE, X32_BIT, 0, 1);
    answer(&p, REFUSE(EPERM));
    allow_list(&p, always, sizeof always / sizeof always[0]);
    newer_refuse(&p);
    self_only(&p);
    by_profile(&p, profile);
    answer(&p, REFUSE(EPERM));
    all.len = p.count;
    if (p.count > ROWS)
        return E2BIG;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all, 0, 0) < 0 ? errno : 0;
}

#else /* other machines number their calls in other ways: none is known to be right for them */

int seccomp_install(uint32_t profile)
{
    (void)profile;
    return ENOSYS;
}

#endif
