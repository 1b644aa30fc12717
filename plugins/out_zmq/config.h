/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - what the options of out_zmq become. */
#ifndef OUT_ZMQ_CONFIG_H
#define OUT_ZMQ_CONFIG_H

#include <stdint.h>

struct config {
    const char *address;
    const char *key;
    const char *gateway_key;
    int32_t lz4;
    int64_t largest;
    int64_t in_flight;
};

#endif
