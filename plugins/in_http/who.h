/* SPDX-License-Identifier: Apache-2.0
 *
 * who.h - which client it is that sends, by its token or its certificate. */
#ifndef IN_HTTP_WHO_H
#define IN_HTTP_WHO_H

#include "answer.h"
#include "config.h"

#include <stdbool.h>

/* [any] The client of a header Authorization (NULL: none), into `ret_name`; ANSWER_NONE, or
 * what is wrong. Takes as long whatever of a token is right. */
enum answer_code who_token(const struct config *config, const char *authorization, char ret_name[CLIENT_NAME_MOST + 1]);

/* [any] The same for a session of GnuTLS: chain, dates, purpose, and the list `clients`. */
enum answer_code who_certificate(const struct config *config, void *session, char ret_name[CLIENT_NAME_MOST + 1]);

#endif
