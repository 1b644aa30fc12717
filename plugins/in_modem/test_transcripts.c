/* SPDX-License-Identifier: Apache-2.0
 *
 * test_transcripts.c - every reply of real modems in the test data, byte by byte
 * through the reader and on to its value, with a table of what each folder gave.
 *
 * at-sms-encode is 96 messages that were made from the texts beside them, and some
 * lost by it: one message each, without a header that would join it to another, full
 * to its last octet. Of 177 letters it holds 160 septets or 70 units, and the default
 * alphabet has no s with caron. What a message can hold must be there, unit by unit.
 * All others must give a value or a typed error, those of at-*-failing an error. */
#include <afferent/testkit.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at.h"
#include "at_values.h"
#include "parts.h"
#include "utf16.h"

enum { FILE_MOST = 65536, FILES_MOST = 512 };

struct row {
    const char *folder;
    int files, values, errors, strays;
    char first_error[128];
};

static const char *folder_of(const char *name)
{
    static char path[512];
    const char *root = aff_test_data("at-transcripts");

    if (root)
        (void)snprintf(path, sizeof path, "%s/%s", root, name);
    else
        AFF_SKIP("at-transcripts is not there");
    return path;
}

static size_t file_read(const char *folder, const char *name, char *to)
{
    char path[1024];
    FILE *file;
    size_t size;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(to, 1, FILE_MOST - 1, file);
    (void)fclose(file);
    to[size] = '\0';
    return size;
}

static int is_dump(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return size > 5 && strcmp(entry->d_name + size - 5, ".dump") == 0;
}

/* ---- replies ---- */

static enum at_fault any_of(const char *line, const char *body, const struct at_reader *a)
{
    union {
        struct at_registration registration;
        struct at_stores stores;
        struct at_notices notices;
        struct at_ussd ussd;
        struct at_forward forward;
        struct at_centre centre;
        struct at_entry entry;
        char text[AT_TEXT_MOST];
    } v;
    struct at_message m;
    enum at_fault faults[8];
    bool has = false;
    size_t i;

    if (strncmp(line, "+CMGR:", 6) == 0)
        return at_message_read(line, body, &m);
    if (strcmp(a->echo, "AT+CPMS=?") == 0)
        return at_stores_has(line, 0, "ME", &has) == AT_FINE && has ? AT_FINE : AT_FAULT_SYNTAX;
    faults[0] = at_registration_read(line, &v.registration);
    faults[1] = at_notices_read(line, &v.notices);
    faults[2] = at_ussd_read(line, &v.ussd);
    faults[3] = at_forward_read(line, &v.forward);
    faults[4] = at_centre_read(line, &v.centre);
    faults[5] = at_entry_read(line, &v.entry);
    faults[6] = at_charset_read(line, v.text, sizeof v.text);
    for (i = 0; i < 7; i++)
        if (faults[i] != AT_FAULT_PREFIX)
            return faults[i];
    return at_identity_read(line, v.text, sizeof v.text);
}

static void line_count(const struct at_event *e, const struct at_reader *a, struct row *row)
{
    enum at_fault fault = any_of(e->line, e->body, a);

    if (fault == AT_FINE)
        row->values++;
    else if (row->errors++ == 0)
        (void)snprintf(row->first_error, sizeof row->first_error, "%s", at_fault_text(fault));
}

/* The first line of a file is the command's echo, if it begins with AT. */
static void command_begin(struct at_reader *a, const char *text, const char *folder)
{
    char echo[256];
    size_t size = strcspn(text, "\r\n");

    if (strncmp(text, "AT", 2) != 0 || size >= sizeof echo) {
        at_reader_begin(a, "", "+CSCS:", 0);
        return;
    }
    memcpy(echo, text, size);
    echo[size] = '\0';
    if (strncmp(echo, "AT+CMGR", 7) == 0)
        at_reader_begin(a, echo, "+CMGR:", AT_BODY | (strncmp(folder, "at-sms-txt", 10) == 0 ? AT_TEXT_MODE : 0u));
    else
        at_reader_begin(a, echo, NULL, AT_PLAIN);
}

static void transcript_run(const char *folder, const char *text, size_t size, struct row *row)
{
    struct at_reader *a = calloc(1, sizeof *a);
    struct at_event e;
    size_t i = 0;
    bool done = false;

    at_reader_init(a);
    command_begin(a, text, folder);
    do {
        size_t n = at_reader_take(a, (const uint8_t *)text + i, i < size ? 1 : 0, &e);

        i += n;
        if (e.kind == AT_INFO || e.kind == AT_CODE)
            line_count(&e, a, row);
        row->strays += e.kind == AT_STRAY || e.kind == AT_TOO_LONG;
        done |= e.kind == AT_FINAL;
        if (n == 0 && e.kind == AT_NONE)
            break;
    } while (true);
    /* those of USSD are unsolicited codes, which no OK follows */
    assert_true(done || strcmp(folder, "at-ussd") == 0);
    free(a);
}

static struct row folder_run(const char *name)
{
    struct row row = { .folder = name };
    static char text[FILE_MOST];
    struct dirent **entries;
    const char *folder = folder_of(name);
    int i, n = scandir(folder, &entries, is_dump, alphasort);

    assert_true(n > 0);
    for (i = 0; i < n; i++) {
        size_t size = file_read(folder, entries[i]->d_name, text);

        if (size > 0 && text[size - 1] != '\n') /* a dump may lack its last end */
            text[size++] = '\n';
        transcript_run(name, text, size, &row);
        row.files++;
        free(entries[i]);
    }
    free(entries);
    (void)printf("  %-18s %5d files %5d values %3d errors %3d strays  %s\n", name, row.files, row.values, row.errors,
                 row.strays, row.first_error);
    return row;
}

TEST(every_reply_gives_a_value_or_a_typed_error)
{
    static const char *const good[] = { "at-ccfc",   "at-cnmi",    "at-cpms",           "at-cpms-sr", "at-creg",
                                        "at-cscs-huawei", "at-model", "at-sms",         "at-sms-txt", "at-sms-txt-detail",
                                        "at-smsc",   "at-ussd" };
    static const char *const failing[] = { "at-sms-failing", "at-smsc-failing" };
    struct row row;
    size_t i;

    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        row = folder_run(good[i]);
        assert_int_equal(row.errors, strcmp(good[i], "at-model") == 0 ? 1 : 0); /* 04: a model of 350 digits */
        assert_true(row.values >= row.files - row.errors);
    }
    row = folder_run("at-getmemory"); /* one name has a line break inside */
    assert_int_equal(row.values + row.errors, 4);
    for (i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        row = folder_run(failing[i]);
        assert_int_equal(row.values, 0);
        assert_int_equal(row.errors, row.files);
    }
}

/* Septets, units with the wrong coding said, units behind their language. */
TEST(the_three_answers_of_ussd_are_text)
{
    static const char *const wanted[] = { "Ihr Guthaben", "Havi keret: 0Ft. Fel", "رصيدك 107.93" };
    static char text[FILE_MOST];
    struct dirent **entries;
    const char *folder = folder_of("at-ussd");
    int i, n = scandir(folder, &entries, is_dump, alphasort);

    assert_int_equal(n, 3);
    for (i = 0; i < n; i++) {
        struct at_ussd u;

        (void)file_read(folder, entries[i]->d_name, text);
        text[strcspn(text, "\r\n")] = '\0';
        assert_int_equal(at_ussd_read(text, &u), AT_FINE);
        assert_memory_equal(u.text, wanted[i], strlen(wanted[i]));
        free(entries[i]);
    }
    free(entries);
}

/* ---- messages with their texts ---- */

static const char *value_of(const char *backup, const char *key, char *to, size_t room)
{
    const char *at = strstr(backup, key);
    size_t size;

    if (!at)
        return NULL;
    at += strlen(key);
    at += strspn(at, " =\"");
    size = strcspn(at, "\"\r\n");
    assert_true(size < room);
    memcpy(to, at, size);
    to[size] = '\0';
    return to;
}

/* Text00, Text01, ... joined. */
static size_t backup_units(const char *backup, uint16_t *units, size_t room)
{
    char key[16], hex[1024];
    size_t used = 0;
    int i;

    for (i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "Text%02d", i);
        if (!value_of(backup, key, hex, sizeof hex))
            break;
        assert_true(hex_read_units(hex, strlen(hex), units + used, room - used));
        used += strlen(hex) / 4;
    }
    return used;
}

/* How many messages stand to their texts in which way. */
struct tally {
    int equal, first_septets, first_units, without_caron, again;
};

static void units_compare(const struct sms *m, const uint16_t *units, size_t count, struct tally *t)
{
    enum { S_WITH_CARON = 0x161 };
    size_t i, carons = 0;

    for (i = 0; i < m->unit_count; i++) {
        carons += m->coding == SMS_GSM7 && units[i] == S_WITH_CARON;
        assert_int_equal(m->units[i], m->coding == SMS_GSM7 && units[i] == S_WITH_CARON ? 's' : units[i]);
    }
    if (m->unit_count < count)
        assert_int_equal(m->unit_count, m->coding == SMS_GSM7 ? SINGLE_SEPTETS : SINGLE_UNITS);
    t->equal += m->unit_count == count && carons == 0;
    t->first_septets += m->unit_count < count && m->coding == SMS_GSM7;
    t->first_units += m->unit_count < count && m->coding == SMS_UCS2;
    t->without_caron += carons > 0;
}

static void message_compare(const struct sms *m, const char *backup, struct tally *t)
{
    uint16_t units[400];
    char value[64];
    size_t count = backup_units(backup, units, 400);

    assert_true(m->unit_count <= count && count > 0);
    assert_int_equal(m->parts, 0);
    assert_int_equal(m->shift.lock | m->shift.single, 0);
    units_compare(m, units, count, t);
    assert_string_equal(m->peer.text, value_of(backup, "Number", value, sizeof value));
    assert_string_equal(m->smsc.text, value_of(backup, "SMSC", value, sizeof value));
    assert_int_equal(m->coding, strcmp(value_of(backup, "Coding", value, sizeof value), "Unicode") == 0 ? SMS_UCS2 : SMS_GSM7);
    assert_int_equal(m->kind, strcmp(value_of(backup, "State", value, sizeof value), "Sent") == 0 ? SMS_DELIVER : SMS_SUBMIT);
    if (value_of(backup, "Sent", value, sizeof value) && strcmp(value, "20070605T135630") == 0) {
        assert_true(m->time.is_set);
        assert_true(m->time.utc_ns == INT64_C(1181051790000000000)); /* 2007-06-05 13:56:30 UTC */
    }
}

/* What is sent again gives the same octets where the sender's choices are ours. */
static int message_again(const struct sms *m, const uint8_t *pdu, size_t size)
{
    struct sms_draft draft = { m->peer.text, m->units, m->unit_count, m->coding, 0, 1, 1, m->wants_report, m->validity_s };
    uint8_t again[SMS_PDU_MOST];
    size_t length, made;

    if (m->kind != SMS_SUBMIT)
        return 0;
    made = sms_write(&draft, again, &length);
    assert_int_equal(made, length + 1);
    /* behind the service centre and the validity's choice */
    assert_int_equal(made - 1, size - (1u + pdu[0]));
    assert_memory_equal(again + 1, pdu + 1 + pdu[0], made - 1);
    return 1;
}

TEST(all_pdus_decode_to_the_texts_beside_them)
{
    static char text[FILE_MOST], name[300];
    struct dirent **entries;
    const char *folder = folder_of("at-sms-encode");
    int i, n = scandir(folder, &entries, is_dump, alphasort);
    struct tally t = { 0, 0, 0, 0, 0 };

    assert_int_equal(n, 96);
    for (i = 0; i < n; i++) {
        size_t size = file_read(folder, entries[i]->d_name, text);
        uint8_t pdu[256];
        struct sms m;

        assert_int_equal(strcspn(text, "\r\n"), size); /* one message, and nothing behind it */
        assert_int_equal(sms_read_hex(text, size, &m), SMS_OK);
        assert_true(hex_read(text, size, pdu, sizeof pdu));
        t.again += message_again(&m, pdu, size / 2);
        (void)snprintf(name, sizeof name, "%.*s.backup", (int)(strlen(entries[i]->d_name) - 5), entries[i]->d_name);
        (void)file_read(folder, name, text);
        message_compare(&m, text, &t);
        free(entries[i]);
    }
    free(entries);
    (void)printf("  %-18s %5d files: %d are their text, %d its first 160 letters, %d its first 70, %d have s for one with "
                 "caron; %d written again octet by octet\n",
                 "at-sms-encode", n, t.equal, t.first_septets, t.first_units, t.without_caron, t.again);
    assert_int_equal(t.equal, 44);
    assert_int_equal(t.first_septets, 17);
    assert_int_equal(t.first_units, 18);
    assert_int_equal(t.without_caron, 17);
    assert_int_equal(t.again, 45); /* all SMS-SUBMIT */
}

AFF_TEST_MAIN(every_reply_gives_a_value_or_a_typed_error, the_three_answers_of_ussd_are_text,
              all_pdus_decode_to_the_texts_beside_them)
