/* confine.c - limits, capabilities and Landlock of a child. See confine.h.
 *
 * Not here: system calls (seccomp.c). */
#include "cell/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/cell.h"
#include "cell/page.h"

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

enum { FILES_MOST = 256, PROCESSES_MOST = 4096 };

/* ---- profiles ---- */

uint32_t profile_of(const struct aff_plugin *about, uint32_t needs)
{
    bool pulls = about->kind == AFF_SOURCE && (about->flags & AFF_PULL); /* its paths are read */
    bool leaves = about->kind == AFF_SINK && !(about->flags & AFF_STAYS) && (about->flags & AFF_BLOCKS);
    bool listens = about->kind == AFF_SOURCE && !pulls && !(needs & NEEDS_NAMED);

    return (needs & NEEDS_FILES && !pulls ? (uint32_t)PROFILE_FILES : 0u) |
           (needs & NEEDS_DEVICE && !pulls ? (uint32_t)PROFILE_DEVICE : 0u) |
           (leaves || listens ? (uint32_t)PROFILE_NET : 0u);
}

const char *profile_name(uint32_t profile)
{
    static const char *const names[] = { "compute", "files", "net", "files+net", "device", "files+device", "net+device",
                                         "files+net+device" };

    return names[profile & 7u];
}

/* ---- limits ---- */

/* Where there is not enough of the processor for all, the host and what it runs in
 * threads come first: a child that counts to infinity with all that it may start gets
 * what these leave over. Who started the host may have given it a rank of its own: it
 * is counted from there. */
static void rank_lower(void)
{
    int rank;

    errno = 0;
    rank = getpriority(PRIO_PROCESS, 0);
    if (rank != -1 || errno == 0)
        setpriority(PRIO_PROCESS, 0, rank + CONFINE_NICER);
}

static void limit(__rlimit_resource_t which, uint64_t most)
{
    struct rlimit r;

    if (getrlimit(which, &r) < 0)
        return;
    if (r.rlim_max == RLIM_INFINITY || r.rlim_max > most)
        r.rlim_max = most;
    r.rlim_cur = r.rlim_max;
    setrlimit(which, &r);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#endif

/* What is mapped already counts: the program itself and what it shares. A sanitizer
 * maps terabytes and writes to none of them. */
static void limits_set(const struct host_page *page)
{
    uint64_t shared = HOST_IN_AT + page->in_bytes + CHILD_AREA_AT + page->area_bytes + ((uint64_t)1 << 30);

    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FILES_MOST);
    limit(RLIMIT_MEMLOCK, 0);
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_NICE, 0); /* its rank stays as it is */
    limit(RLIMIT_RTPRIO, 0);
    limit(RLIMIT_NPROC, PROCESSES_MOST); /* does not bind root: the filter and the host do */
    if (!(page->profile & PROFILE_FILES) && !page->prints)
        limit(RLIMIT_FSIZE, 0);
#ifdef IS_SANITIZED
    (void)shared;
#else
    limit(RLIMIT_AS, page->memory_bytes + shared);
    limit(RLIMIT_DATA, page->memory_bytes);
#endif
}

/* A host that runs as root keeps what root may; the child keeps reading what only root
 * can read, and where it writes files or listens what these take. */
static bool capabilities_drop(uint32_t profile)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    uint32_t keep = 1u << CAP_DAC_READ_SEARCH;

    if (syscall(SYS_capget, &head, data) < 0)
        return false;
    if (profile & (PROFILE_FILES | PROFILE_DEVICE))
        keep |= 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_CHOWN;
    if (profile & PROFILE_NET)
        keep |= 1u << CAP_NET_BIND_SERVICE;
    data[0].permitted &= keep;
    data[0].effective &= keep;
    data[1].permitted = data[1].effective = 0;
    data[0].inheritable = data[1].inheritable = 0;
    return syscall(SYS_capset, &head, data) == 0;
}

/* ---- Landlock ---- */

#define WRITES                                                                                             \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |            \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |         \
     LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What this kernel knows of it. */
static uint64_t handled(long abi)
{
    uint64_t all = WRITES;

    if (abi >= 2)
        all |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        all |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 5)
        all |= LANDLOCK_ACCESS_FS_IOCTL_DEV; /* also of devices that are opened for reading */
    return all;
}

static void path_allow(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr beneath = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
    struct stat st;

    if (beneath.parent_fd < 0)
        return;
    beneath.allowed_access = access;
    if (fstat(beneath.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode)) /* a device, a pipe */
        beneath.allowed_access &=
            LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_IOCTL_DEV;
    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    close(beneath.parent_fd);
}

/* Folders, then devices. Those of a source with AFF_PULL are read. */
static void paths_allow(int ruleset, const struct host_page *page, const uint8_t *in, uint64_t access, struct confined *c)
{
    const char *path = (const char *)in + page->folders_at;
    uint32_t i;

    for (i = 0; i < page->folder_count; i++, path += strlen(path) + 1)
        if (page->profile & PROFILE_FILES) {
            path_allow(ruleset, path, access);
            c->folders++;
        }
    for (i = 0; i < page->device_count; i++, path += strlen(path) + 1)
        if (page->profile & PROFILE_DEVICE) {
            path_allow(ruleset, path, access);
            c->devices++;
        }
}

/* Reading stays: libraries, time zones, certificates lie anywhere. Writing is for the
 * folders and devices that were named; /dev/null is nobody's. */
static bool landlock_set(const struct host_page *page, const uint8_t *in, struct confined *c)
{
    struct landlock_ruleset_attr attributes = { .handled_access_fs = 0 };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    int ruleset;
    bool ok;

    if (abi < 1)
        return false;
    attributes.handled_access_fs = handled(abi);
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0);
    if (ruleset < 0)
        return false;
    path_allow(ruleset, "/dev/null", attributes.handled_access_fs);
    paths_allow(ruleset, page, in, attributes.handled_access_fs, c);
    ok = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return ok;
}

void confine(const struct host_page *page, const uint8_t *in, struct confined *ret)
{
    *ret = (struct confined){ .seccomp = 0 };
    rank_lower();
    limits_set(page);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        ret->error = errno;
    if (!(page->lacks & CELL_LACKS_LANDLOCK))
        ret->landlock = landlock_set(page, in, ret);
    ret->capabilities = capabilities_drop(page->profile);
    if (page->lacks & CELL_LACKS_SECCOMP) {
        ret->error = ENOSYS;
        return;
    }
    ret->error = seccomp_install(page->profile);
    ret->seccomp = ret->error == 0;
}
