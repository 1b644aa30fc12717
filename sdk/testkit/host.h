/* SPDX-License-Identifier: Apache-2.0
 *
 * host.h - the host functions that stand in other files than host.c. */
#ifndef AFF_TESTKIT_HOST_H
#define AFF_TESTKIT_HOST_H

#include "kit.h"

aff_status host_state_open(const struct aff_host *host, size_t bytes, int per_subject);
void *host_state(const struct aff_host *host, uint32_t index);
struct aff_record *host_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size);
aff_status host_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size);
aff_status host_stream_end(const struct aff_host *host, uint32_t port, uint32_t stream);
void host_timer(const struct aff_host *host, uint32_t subject, int64_t due_ns);
aff_status host_dead(const struct aff_host *host, uint32_t input, uint8_t verdict, uint64_t offset,
                     const void *bytes, uint32_t size);
const struct aff_record *host_hold(const struct aff_host *host, const struct aff_record *record);
aff_status host_release(const struct aff_host *host, const struct aff_record *held, uint8_t verdict);
const struct aff_record *host_held(const struct aff_host *host, uint32_t index);
void host_ack(const struct aff_host *host, struct aff_id id, aff_status status);
void host_answer(const struct aff_host *host, struct aff_id id, aff_status status, uint8_t verdict, const char *words);
void host_rouse(const struct aff_host *host);
aff_status host_watch(const struct aff_host *host, int fd, uint32_t events);
aff_status host_link_set(const struct aff_host *host, const struct aff_link *link);
aff_status host_link_get(const struct aff_host *host, uint32_t index, struct aff_link *ret);
aff_status host_uplink(const struct aff_host *host, struct aff_uplink *ret);
void host_link_spent(const struct aff_host *host, uint32_t index, uint64_t sent, uint64_t received);
void host_link_tried(const struct aff_host *host, uint32_t index, aff_status status);

#endif
