/* confine.h - what a child may do, and how it is kept to that.
 *
 * Profiles, chosen by what the plugin's table and its options say:
 *   compute    no file is written, no socket, no program, no process: what needs
 *              neither of the two below. Sources with AFF_PULL always.
 *   files      and files may be written: where a PATH option that is no input
 *              (AFF_OPT_INPUT) is set. With Landlock only below the folders that these
 *              options name.
 *   net        and sockets: a sink with AFF_BLOCKS and without AFF_STAYS; a source
 *              without AFF_PULL that has no such path. "files+net" is both.
 *   device     and devices may be opened for writing, settings of serial lines changed,
 *              folders watched (inotify): where such a path leads to a device, and for
 *              a source without AFF_PULL that takes commands. No file is made or
 *              emptied. With Landlock only the devices that are named or, where none
 *              is, serial lines.
 * Of ioctl each has those that are listed in seccomp.c; compute has none.
 * In all of them: no new process or program, no tracing, no signals to others, no
 * privileges; threads up to 128; memory, descriptors and core files bounded; ten ranks
 * of niceness behind the host.
 *
 * Not here: what the kernel lacks is no error here; who asks decides (cell.h). */
#ifndef AFFERENT_CELL_CONFINE_H
#define AFFERENT_CELL_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

struct confined;
struct host_page;

enum profile { PROFILE_COMPUTE = 0, PROFILE_FILES = 1, PROFILE_NET = 2, PROFILE_DEVICE = 4 };
/* What its configuration says. NAMED: a path at all, which tells a live source from one
 * that listens. */
enum needs { NEEDS_FILES = 1, NEEDS_DEVICE = 2, NEEDS_NAMED = 4 };
enum { CONFINE_NICER = 10 };

/* [any] */
uint32_t profile_of(const struct aff_plugin *about, uint32_t needs);
const char *profile_name(uint32_t profile);

/* [control, in the child] Before any code of the plugin runs. `in` is the host's room:
 * folders lie there. Says what is in force. */
void confine(const struct host_page *page, const uint8_t *in, struct confined *ret_confined);

/* [control, in the child] The filter; 0 or an errno (seccomp.c). */
int seccomp_install(uint32_t profile);

#endif
