/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - what the options of in_zmq become. */
#ifndef IN_ZMQ_CONFIG_H
#define IN_ZMQ_CONFIG_H

#include <afferent/plugin.h>

struct config {
    const char *address;
    const char *key;
    struct aff_list peers; /* struct peer_option */
    int32_t prefix;
    int64_t largest;
    int64_t window;
    int64_t streams;
    int64_t answer_within;
};

/* Rows of the metrics' table. */
enum {
    METRIC_RECEIVED,
    METRIC_DUPLICATES,
    METRIC_REFUSED,
    METRIC_BATCHES,
    METRIC_BYTES,
    METRIC_MALFORMED,
    METRIC_KEYS,
    METRIC_HANDSHAKES,
    METRICS
};

#endif
