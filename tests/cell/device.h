/* device.h - a device on a serial line: a source that takes commands; and sinks that look
 * at links, or wait for a descriptor. */
#ifndef AFFERENT_TESTS_CELL_DEVICE_H
#define AFFERENT_TESTS_CELL_DEVICE_H

#include <stdint.h>

#include <afferent/plugin.h>

/* What the device does beside, in its child. */
enum device_deed {
    D_NOTHING,
    D_OTHERS,   /* tries what is not its own */
    D_LINK,     /* forges what it says of its link */
    D_LINK_LONG,
    D_WATCH,    /* forges how many descriptors it watches */
    D_FLOOD,    /* asks to be read without end */
    D_DEAF,     /* closes what wakes it and its host */
    D_MISUSE,   /* uses the host as it must not, and goes on */
    D_CLOSED,   /* closes a descriptor that it watches */
    D_DEEDS
};

struct device_config {
    const char *path;  /* of its line */
    const char *other; /* D_OTHERS: a line of somebody else */
    int64_t deed;
};

/* Lines that it gets: "dN": a record with the number N; "=N": command N is done;
 * "%N": the link has N dBm; "x": it does what `deed` says; ".": the end. Each command is
 * sent as "!N". Metrics: 0 opened, 1 lost, 2 could not be opened, 3 what was possible. */
extern const struct aff_plugin line_device;
/* Writes what it finds of links into its metrics: 0 how many by its own thread that calls
 * it, 1 by another thread, 2 the signal of the first. */
extern const struct aff_plugin link_eye;
/* Acknowledges what it took as soon as the first link has -99 dBm, from a thread. */
extern const struct aff_plugin link_late;
/* Sends by the link that it is told to use: metrics are its status, its revision, whether it
 * is the one of the test. */
extern const struct aff_plugin link_user;
/* Watches a descriptor from its first record on; one with an action makes it ready.
 * Metric 0: times that `wake` found it so. */
extern const struct aff_plugin waiting_sink;
/* A thread of it rouses soon after each write; each wake answers one record: refused, with
 * words that are no line; flush answers the others, the last by "not now". */
extern const struct aff_plugin net_sink;
/* Emits one record a read, with id 5, 6 and RESENT. */
extern const struct aff_plugin relay_source;

#endif
