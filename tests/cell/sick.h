/* sick.h - plugins that die in their open while a file is there, and a device that dies
 * at work on one command. */
#ifndef AFFERENT_TESTS_CELL_SICK_H
#define AFFERENT_TESTS_CELL_SICK_H

#include "parts.h"

/* The first member is the configuration of the plugin that is sick. */
struct sick_source_config {
    struct part_source made;
    const char *armed; /* dies while this file is there: in open, or ... */
    uint64_t dies_at;  /* ... in the read of this record; 0: in open */
};
struct sick_sums_config {
    const char *armed;
    int64_t late; /* 1: when it has asked for its state */
};
/* part_source and sums (flow/parts.h, flow/ends.h), in a process. */
extern const struct aff_plugin sick_source, sick_sums;

/* Says `records` numbers, and takes each back as a command: it holds it, and lets it go by
 * its second output, one a read. */
struct sick_device_config {
    int64_t records;
    int64_t poison;  /* the number of the command that it dies of */
    int64_t refused; /* of the one that it lets go as failed */
    int64_t in_restore; /* 1: it dies of it there as well */
};
extern const struct aff_plugin sick_device;

#endif
