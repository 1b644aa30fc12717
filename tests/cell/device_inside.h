/* device_inside.h - the device of device.c, as its files share it. */
#ifndef AFFERENT_TESTS_CELL_DEVICE_INSIDE_H
#define AFFERENT_TESTS_CELL_DEVICE_INSIDE_H

#include "device.h"

struct device {
    const struct aff_host *host;
    const struct device_config *config;
    int fd; /* -1: none */
    uint32_t subject, stream;
    uint32_t sent; /* of what it holds, since the line is open */
    uint64_t count;
    size_t length;
    char bytes[4096];
};

/* In a read, with the line open. */
void device_deed(struct device *device);

#endif
