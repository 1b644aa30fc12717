/* config.h - what the options of out_mail fill in.
 *
 * Not here: the options themselves and what is refused (options.c). */
#ifndef OUT_MAIL_CONFIG_H
#define OUT_MAIL_CONFIG_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum { TLS_REQUIRED, TLS_NONE };
enum { RECIPIENTS_MOST = 32, LISTED_MOST = 200, ADDRESS_MOST = 254 };

struct config {
    const char *url;
    int32_t tls, skip_verification, allow_plain;
    const char *ca, *hello;
    const char *user, *password;
    const char *sender, *sender_name;
    struct aff_list to; /* const char * */
    const char *subject, *body;
    int64_t batch_records, batch_time, mails_per_hour;
    int64_t retry_for, timeout, connect_timeout;
};

enum { MAIL_OPTIONS = 19 };
extern const struct aff_option mail_options[MAIL_OPTIONS];

/* [control] The plugin's validate and shape. */
aff_status mail_validate(const void *config, const struct aff_report *report);
aff_status mail_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

static inline const char *config_recipient(const struct config *c, uint32_t index)
{
    return *(const char *const *)(const void *)((const char *)c->to.items + (size_t)index * c->to.stride);
}

#endif
