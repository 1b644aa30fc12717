/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.h - the key files of the link, as `afferent key new --curve` makes them.
 *
 *   NAME.key   "afferent-curve-key 1 PUBLIC SECRET", its owner's alone (0600 or 0400)
 *   NAME.pub   "afferent-curve-public 1 PUBLIC", for the other end
 *
 * One line each; a key is 32 bytes as 40 characters (Z85, ZeroMQ RFC 32). */
#ifndef ZMQ_LINK_KEYS_H
#define ZMQ_LINK_KEYS_H

#include <afferent/plugin.h>

enum { CURVE_TEXT = 41, CURVE_PROBLEM = 600 };

struct curve_pair {
    char public_key[CURVE_TEXT], secret_key[CURVE_TEXT];
};

/* [control] Reads the file. `problem` (CURVE_PROBLEM bytes) says what is wrong and what to
 * do, never what the file holds. AFF_ERR_CONFIG. */
aff_status curve_pair_read(const char *path, struct curve_pair *ret_pair, char *problem);
aff_status curve_public_read(const char *path, char ret_key[CURVE_TEXT], char *problem);
/* [control] libzmq ends the process where it may not open sockets, so it is asked first.
 * AFF_ERR_CONFIG: this node is confined. */
aff_status curve_sockets_allowed(char *problem);

#endif
