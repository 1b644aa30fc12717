/* control_kit.h - a door to knock at, and peers with good manners and bad ones.
 *
 * Not here: the cases. */
#ifndef TESTS_CONTROL_KIT_H
#define TESTS_CONTROL_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "show/control.h"
#include "show/control_client.h"
#include "show/control_inside.h"

enum { LONG_MS = 20000 };

struct bench {
    char folder[64];
    struct place_paths paths;
    struct control *control;
    pthread_mutex_t gate; /* `reload` waits for it: a request that takes long */
    _Atomic int begun;
};

#define DOOR(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
int bench_setup(void **state);
int bench_teardown(void **state);
void open_door(struct bench *bench);

/* Asks as the command does, by the key file. */
enum ask_status ask(struct bench *bench, const char *verb, const char *argument, int *code, struct text *answer);
void good_client_is_answered(struct bench *bench);

/* What is counted is counted by another thread, soon: waits for at least n. */
bool comes(struct bench *bench, uint64_t (*what)(const struct control_figures *figures), uint64_t n);
uint64_t handshakes(const struct control_figures *figures);
uint64_t keys(const struct control_figures *figures);
uint64_t cuts(const struct control_figures *figures);
uint64_t larges(const struct control_figures *figures);
uint64_t malformeds(const struct control_figures *figures);
uint64_t unknowns(const struct control_figures *figures);
uint64_t answered(struct bench *bench);

/* A socket without libzmq; -1: it was turned away. */
int raw_connect(struct bench *bench);

/* A peer that may say what it likes, with keys (NULL: none). */
struct peer {
    void *context;
    void *socket;
};
void read_keys(struct bench *bench, struct control_keys *keys);
struct peer peer_open(struct bench *bench, const struct control_keys *keys);
void peer_close(struct peer *peer);
void send_status(struct peer *peer);
/* Waits for the reply and looks for a word in it. */
void expect_reply(struct peer *peer, const char *word);

#endif
