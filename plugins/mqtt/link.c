/* SPDX-License-Identifier: Apache-2.0
 *
 * link.c - how a node reaches its broker, see link.h. */
#include "mqtt/link.h"

#include <string.h>

enum { TEXT_MOST = 65535 };

const char *const mqtt_versions[] = { "5", "3.1.1", NULL };

/* ---- text ---- */

/* Bytes of the UTF-8 sequence at p, 0 where there is none (RFC 3629, section 4). */
static size_t sequence_length(const unsigned char *p)
{
    uint32_t low, code;
    size_t length, i;

    if (p[0] < 0x80)
        return 1;
    length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    low = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    code = p[0] & (0x7fu >> length);
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    return code < low || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : length;
}

bool mqtt_text_is_fine(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t length;

    for (; *p; p += length) {
        length = sequence_length(p);
        if (length == 0 || *p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0))
            return false;
    }
    return p - (const unsigned char *)text <= TEXT_MOST;
}

/* ---- address ---- */

static bool is_of_host(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* Takes the host; the place behind it, or NULL. */
static const char *host_read(const char *at, struct mqtt_address *ret)
{
    const char *end;

    ret->is_v6 = *at == '[';
    at += ret->is_v6;
    end = at;
    while (ret->is_v6 ? *end && strchr("0123456789abcdefABCDEF:.%", *end) : *end && is_of_host(*end))
        end++;
    if (end == at || (size_t)(end - at) >= sizeof ret->host || (ret->is_v6 && *end != ']'))
        return NULL;
    memcpy(ret->host, at, (size_t)(end - at));
    ret->host[end - at] = '\0';
    return end + ret->is_v6;
}

static bool port_read(const char *at, uint16_t *ret)
{
    uint32_t port = 0;
    int digits;

    for (digits = 0; at[digits] >= '0' && at[digits] <= '9' && digits < 6; digits++)
        port = port * 10u + (uint32_t)(at[digits] - '0');
    *ret = (uint16_t)port;
    return digits > 0 && !at[digits] && port > 0 && port <= 65535;
}

const char *mqtt_address_read(const char *text, struct mqtt_address *ret)
{
    const char *at = text;

    memset(ret, 0, sizeof *ret);
    ret->tls = strncmp(text, "mqtts://", 8) == 0;
    if (!ret->tls && strncmp(text, "mqtt://", 7) != 0)
        return "does not begin with mqtts:// or mqtt://; expected one such as \"mqtts://broker.example:8883\"; write it so";
    at += ret->tls ? 8 : 7;
    if (strchr(at, '@'))
        return "has a user in it; expected the host and its port alone; use the options user and password";
    at = host_read(at, ret);
    if (!at)
        return "has no host, or one with characters that no host has; expected a name or an address (IPv6 in brackets); "
               "correct it";
    ret->port = ret->tls ? 8883 : 1883;
    if (*at == ':' && port_read(at + 1, &ret->port))
        return NULL;
    return *at ? "goes on behind the host with something else than a port of 1 to 65535; expected nothing or :PORT; "
                 "correct it" : NULL;
}

/* ---- options together ---- */

static bool files_check(const struct mqtt_link *link, bool tls, const struct aff_report *report)
{
    const char *option = link->ca ? "ca" : link->certificate ? "certificate" : link->key ? "key" : NULL;

    if (!tls && (option || link->accept_any_server)) {
        report->problem(report, option ? option : "accept_any_server", "is for TLS, and the broker's address says that "
                        "there is none; expected mqtts://; change the address or leave it out");
        return false;
    }
    if (!link->certificate != !link->key) {
        report->problem(report, link->key ? "key" : "certificate", "stands alone; expected certificate and key together; "
                        "add the other one");
        return false;
    }
    if (link->accept_any_server && link->ca) {
        report->problem(report, "accept_any_server", "is true, and ca says who may vouch for the broker; expected one of "
                        "the two; remove accept_any_server");
        return false;
    }
    return true;
}

static bool texts_check(const struct mqtt_link *link, const struct aff_report *report)
{
    const struct { const char *name, *text; } texts[] = { { "client_id", link->client_id }, { "user", link->user } };
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text && (!*texts[i].text || !mqtt_text_is_fine(texts[i].text))) {
            report->problem(report, texts[i].name, "is empty or has characters that MQTT does not allow; expected text "
                            "without control characters; correct it");
            return false;
        }
    if (link->password && !link->user) {
        report->problem(report, "password", "stands alone; expected a user whose password it is; add user");
        return false;
    }
    return true;
}

bool mqtt_link_check(const struct mqtt_link *link, const struct aff_report *report)
{
    struct mqtt_address address;
    const char *problem = mqtt_address_read(link->broker, &address);

    if (problem) {
        report->problem(report, "broker", "broker %s", problem);
        return false;
    }
    if (!files_check(link, address.tls, report) || !texts_check(link, report))
        return false;
    if (address.tls && !link->accept_any_server)
        report->secure(report);
    if (link->accept_any_server)
        report->note(report, "accept_any_server", "any server is taken for the broker: whoever stands in between reads "
                     "and changes what goes by");
    return true;
}
