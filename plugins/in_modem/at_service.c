/* SPDX-License-Identifier: Apache-2.0
 *
 * at_service.c - SIM, identity, calls, contexts, settings; see at_values.h. */
#include "at_values.h"

#include <string.h>

#include "utf16.h"

enum at_fault at_sim_read(const char *line, enum at_sim *ret)
{
    static const struct {
        const char *name;
        enum at_sim sim;
    } names[] = { { "READY", AT_SIM_READY },       { "SIM PIN", AT_SIM_PIN },          { "SIM PUK", AT_SIM_PUK },
                  { "SIM PIN2", AT_SIM_PIN2 },     { "SIM PUK2", AT_SIM_PUK2 },        { "NOT READY", AT_SIM_BUSY },
                  { "NOT INSERTED", AT_SIM_ABSENT }, { "SIM REMOVED", AT_SIM_ABSENT } };
    struct at_fields f;
    char text[40];
    enum at_fault fault;
    size_t i, count = sizeof names / sizeof names[0];

    if (!at_fields_open(&f, line, "+CPIN:"))
        return AT_FAULT_PREFIX;
    fault = at_next_text(&f, text, sizeof text);
    if (fault != AT_FINE || !*text)
        return fault == AT_FINE ? AT_FAULT_MISSING : fault;
    for (i = 0; i < count && strcmp(text, names[i].name) != 0; i++)
        continue;
    *ret = i < count ? names[i].sim : AT_SIM_OTHER;
    return AT_FINE;
}

/* "+CGSN: " or "ICCID:" in front, quotes around: makers differ. */
enum at_fault at_identity_read(const char *line, char *to, size_t room)
{
    struct at_fields f = { line };
    struct at_field field;
    const char *colon = strchr(line, ':');

    if ((line[0] == '+' || line[0] == '^' || line[0] == '%' || strncmp(line, "ICCID:", 6) == 0) && colon)
        f.at = colon[1] == ' ' ? colon + 2 : colon + 1;
    if (*f.at != '"') {
        field = (struct at_field){ f.at, strlen(f.at), false, false };
        if (field.size == 0)
            return AT_FAULT_MISSING;
        return at_field_text(&field, to, room);
    }
    return at_fields_next(&f, &field) && field.size > 0 ? at_field_text(&field, to, room) : AT_FAULT_MISSING;
}

bool at_identity_is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits >= 14 && digits <= 20 && (text[digits] == '\0' || strcmp(text + digits, "F") == 0);
}

/* A number may come in the character set UCS2: four hex digits a character, the
 * first of them 00. */
static enum at_fault number_take(struct at_fields *f, char *to, size_t room)
{
    struct at_field field;
    uint16_t units[48];

    if (!at_fields_next(f, &field))
        return AT_FAULT_MISSING;
    if (field.size >= 8 && field.at[0] == '0' && field.at[1] == '0' && field.size / 4 < room &&
        hex_read_units(field.at, field.size, units, sizeof units / sizeof units[0]) && units[0] >= '#' && units[0] <= '9') {
        to[utf16_to_utf8(units, field.size / 4, to, room - 1)] = '\0';
        return AT_FINE;
    }
    return at_field_text(&field, to, room);
}

enum at_fault at_forward_read(const char *line, struct at_forward *ret)
{
    struct at_forward w = { .number = "" };
    struct at_fields f;
    int64_t active, classes;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CCFC:"))
        return AT_FAULT_PREFIX;
    fault = at_next_int(&f, 0, 1, &active);
    if (fault == AT_FINE)
        fault = at_next_int(&f, 0, 255, &classes);
    if (fault != AT_FINE)
        return fault;
    fault = number_take(&f, w.number, sizeof w.number);
    if (fault != AT_FINE && fault != AT_FAULT_MISSING)
        return fault;
    w.active = active;
    w.classes = (int)classes;
    *ret = w;
    return AT_FINE;
}

enum at_fault at_centre_read(const char *line, struct at_centre *ret)
{
    struct at_centre c = { .type = 129 };
    struct at_fields f;
    int64_t type;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CSCA:"))
        return AT_FAULT_PREFIX;
    fault = number_take(&f, c.number, sizeof c.number);
    if (fault != AT_FINE)
        return fault;
    if (!c.number[0])
        return AT_FAULT_MISSING;
    if (!sms_number_ok(c.number))
        return AT_FAULT_SYNTAX;
    fault = at_next_int(&f, 0, 255, &type);
    if (fault != AT_FINE && fault != AT_FAULT_MISSING)
        return fault;
    c.type = fault == AT_FINE ? (int)type : c.type;
    *ret = c;
    return AT_FINE;
}

enum at_fault at_charset_read(const char *line, char *to, size_t room)
{
    struct at_fields f;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CSCS:"))
        return AT_FAULT_PREFIX;
    fault = at_next_text(&f, to, room);
    return fault == AT_FINE && !*to ? AT_FAULT_MISSING : fault;
}

static enum at_fault cid_take(struct at_fields *f, int *ret)
{
    int64_t cid;
    enum at_fault fault = at_next_int(f, 0, 255, &cid);

    if (fault == AT_FINE)
        *ret = (int)cid;
    return fault;
}

enum at_fault at_context_read(const char *line, struct at_context *ret)
{
    struct at_context c = { .cid = 0 };
    struct at_fields f;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CGDCONT:"))
        return AT_FAULT_PREFIX;
    fault = cid_take(&f, &c.cid);
    if (fault == AT_FINE)
        fault = at_next_text(&f, c.type, sizeof c.type);
    if (fault == AT_FINE)
        fault = at_next_text(&f, c.apn, sizeof c.apn);
    if (fault == AT_FINE)
        fault = at_next_text(&f, c.address, sizeof c.address);
    if (fault != AT_FINE && (fault != AT_FAULT_MISSING || !c.type[0]))
        return fault;
    *ret = c;
    return AT_FINE;
}

enum at_fault at_active_read(const char *line, int *ret_cid, bool *ret)
{
    struct at_fields f;
    int64_t state;
    int cid;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CGACT:"))
        return AT_FAULT_PREFIX;
    fault = cid_take(&f, &cid);
    if (fault == AT_FINE)
        fault = at_next_int(&f, 0, 1, &state);
    if (fault != AT_FINE)
        return fault;
    *ret_cid = cid;
    *ret = state;
    return AT_FINE;
}

enum at_fault at_entry_read(const char *line, struct at_entry *ret)
{
    struct at_entry e = { .index = 0 };
    struct at_fields f, behind;
    struct at_field field;
    int64_t index, type;
    enum at_fault fault;

    if (!at_fields_open(&f, line, "+CPBR:"))
        return AT_FAULT_PREFIX;
    fault = at_next_int(&f, 0, INT32_MAX, &index);
    behind = f;
    if (fault == AT_FINE && at_fields_next(&behind, &field) && field.size == 0 && !field.quoted)
        f = behind; /* some have an empty field there */
    if (fault == AT_FINE)
        fault = number_take(&f, e.number, sizeof e.number);
    if (fault == AT_FINE)
        fault = at_next_int(&f, 0, 255, &type);
    if (fault == AT_FINE)
        fault = at_next_text(&f, e.name, sizeof e.name);
    if (fault != AT_FINE)
        return fault;
    e.index = (int)index;
    e.type = (int)type;
    *ret = e;
    return AT_FINE;
}
