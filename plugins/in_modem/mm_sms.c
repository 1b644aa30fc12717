/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_sms.c - short messages by ModemManager: told once, deleted when they are safe,
 * sent with the reference that ties a status report to them.
 *
 * The daemon joins the parts and keeps a message until it is told to delete it. A
 * message is known by its path, and by a digest of its content after the daemon or
 * the modem was away, when the paths begin anew; so nothing is told twice, and what
 * was to be deleted meanwhile is deleted then. What finds no room up is left where
 * it is and looked for again.
 *
 * Not here: PDUs (the daemon reads and writes them). */
#include <string.h>

#include "mm_own.h"

enum { SEND_MOST_MS = 300 * 1000, AGAIN_S = 10, PARTS_AGAIN_S = 600 };

/* ---- what was told ---- */

/* FNV-1a, 64 bit. */
static uint64_t digest_add(uint64_t digest, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    size_t i;

    for (i = 0; i < size; i++)
        digest = (digest ^ at[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
    return text ? digest_add(digest, text, strlen(text) + 1) : digest_add(digest, "", 1);
}

static uint64_t digest_of(MMSms *sms)
{
    guint32 rest[3] = { (guint32)mm_sms_get_pdu_type(sms), mm_sms_get_message_reference(sms), mm_sms_get_delivery_state(sms) };
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    gsize size = 0;
    const guint8 *data = mm_sms_get_data(sms, &size);

    digest = digest_text(digest, mm_sms_get_number(sms));
    digest = digest_text(digest, mm_sms_get_timestamp(sms));
    digest = digest_text(digest, mm_sms_get_discharge_timestamp(sms));
    digest = digest_text(digest, mm_sms_get_text(sms));
    digest = digest_add(digest, rest, sizeof rest);
    return data ? digest_add(digest, data, size) : digest;
}

/* Under the lock: the entry of this path; else one that lost its path and has this
 * digest, which gets the path. */
static struct told *told_find(struct mm *mm, const char *path, uint64_t digest)
{
    struct told *known = NULL, *t;

    for (t = mm->told; t < mm->told + MM_TOLD_MOST; t++) {
        if (t->used && strcmp(t->path, path) == 0)
            return t;
        if (t->used && !*t->path && t->digest == digest && !known)
            known = t;
    }
    if (known)
        text_copy(known->path, sizeof known->path, path);
    return known;
}

/* Takes a place for a message that is new; false: it is known, or there is no place. */
static bool told_add(struct own *o, const char *path, uint64_t digest, uint64_t *ret_key)
{
    struct mm *mm = o->mm;
    struct told *t;
    bool is_new = false;

    pthread_mutex_lock(&mm->lock);
    t = told_find(mm, path, digest);
    if (!t) {
        for (t = mm->told; t < mm->told + MM_TOLD_MOST && t->used; t++)
            continue;
        is_new = t < mm->told + MM_TOLD_MOST;
        o->list_again |= !is_new;
    }
    if (is_new) {
        *t = (struct told){ .key = ++o->keys, .digest = digest, .used = true };
        text_copy(t->path, sizeof t->path, path);
        *ret_key = t->key;
    }
    pthread_mutex_unlock(&mm->lock);
    return is_new;
}

static void told_drop(struct mm *mm, uint64_t key)
{
    struct told *t;

    pthread_mutex_lock(&mm->lock);
    for (t = mm->told; t < mm->told + MM_TOLD_MOST; t++)
        if (t->used && t->key == key)
            *t = (struct told){ .used = false };
    pthread_mutex_unlock(&mm->lock);
}

void sms_lost(struct own *o)
{
    struct told *t;

    pthread_mutex_lock(&o->mm->lock);
    for (t = o->mm->told; t < o->mm->told + MM_TOLD_MOST; t++) {
        t->path[0] = '\0';
        t->deleting = false;
    }
    pthread_mutex_unlock(&o->mm->lock);
    g_ptr_array_set_size(o->incomplete, 0);
    o->listing = o->listed = o->deleting = false;
    o->list_due = true;
}

/* ---- receiving ---- */

/* Which of our messages a report is about: the one sent last with its reference. */
static uint64_t report_request(const struct own *o, int reference)
{
    unsigned i;

    for (i = 0; i < MM_SENT_MOST; i++) {
        const struct report_due *due = &o->due[(o->due_at + MM_SENT_MOST - 1 - i) % MM_SENT_MOST];

        if (due->used && due->reference == reference)
            return due->id;
    }
    return 0;
}

static void report_fill(const struct own *o, MMSms *sms, struct mm_event *e)
{
    e->kind = MM_REPORT;
    e->reference = (int)mm_sms_get_message_reference(sms);
    e->status = (uint8_t)mm_sms_get_delivery_state(sms);
    e->id = report_request(o, e->reference);
    (void)time_read(mm_sms_get_discharge_timestamp(sms), &e->discharge);
}

static void message_fill(MMSms *sms, struct mm_event *e)
{
    const char *text = mm_sms_get_text(sms);
    gsize size = 0;

    e->kind = MM_MESSAGE;
    e->class = (int8_t)mm_sms_get_class(sms);
    if (text && *text) {
        e->text = text;
        e->text_size = strlen(text);
        return;
    }
    e->data = mm_sms_get_data(sms, &size);
    e->data_size = size;
    if (size == 0)
        e->data = NULL;
}

static void message_tell(struct own *o, MMSms *sms)
{
    struct mm_event e = { .code = -1, .reference = -1, .class = -1, .digest = digest_of(sms) };

    if (!told_add(o, mm_sms_get_path(sms), e.digest, &e.key))
        return;
    text_copy(e.number, sizeof e.number, mm_sms_get_number(sms));
    (void)time_read(mm_sms_get_timestamp(sms), &e.time);
    if (mm_sms_get_pdu_type(sms) == MM_SMS_PDU_TYPE_STATUS_REPORT)
        report_fill(o, sms, &e);
    else
        message_fill(sms, &e);
    if (mm_tell(o->mm, &e, NULL))
        return;
    told_drop(o->mm, e.key);
    o->list_again = true;
}

static void part_changed(GDBusProxy *proxy, GVariant *changed, char **invalidated, gpointer own)
{
    (void)proxy;
    (void)changed;
    (void)invalidated;
    sms_arrived(own);
}

static void part_forget(gpointer sms)
{
    g_signal_handlers_disconnect_matched(sms, G_SIGNAL_MATCH_FUNC, 0, 0, NULL, (gpointer)(uintptr_t)part_changed, NULL);
    g_object_unref(sms);
}

static void message_look(struct own *o, MMSms *sms)
{
    MMSmsPduType type = mm_sms_get_pdu_type(sms);

    if (type != MM_SMS_PDU_TYPE_DELIVER && type != MM_SMS_PDU_TYPE_STATUS_REPORT && type != MM_SMS_PDU_TYPE_CDMA_DELIVER)
        return; /* what others have left to be sent */
    if (mm_sms_get_state(sms) == MM_SMS_STATE_RECEIVING) {
        g_signal_connect(sms, "g-properties-changed", G_CALLBACK(part_changed), o);
        g_ptr_array_add(o->incomplete, g_object_ref(sms));
    } else {
        message_tell(o, sms);
    }
}

static bool list_has(GList *all, const char *path)
{
    GList *at;

    for (at = all; at && strcmp(mm_sms_get_path(MM_SMS(at->data)), path) != 0; at = at->next)
        continue;
    return at != NULL;
}

/* Before a list is looked through: a path that it does not have is no message's any
 * more. The daemon gives new ones when the modem was disabled. */
static void told_unpath(struct own *o, GList *all)
{
    struct told *t;

    pthread_mutex_lock(&o->mm->lock);
    for (t = o->mm->told; t < o->mm->told + MM_TOLD_MOST; t++)
        if (t->used && *t->path && !t->deleting && !list_has(all, t->path))
            t->path[0] = '\0';
    pthread_mutex_unlock(&o->mm->lock);
}

/* After it: what was to be deleted and is not in the list needs no deletion. */
static void told_sweep(struct own *o)
{
    struct told *t;

    pthread_mutex_lock(&o->mm->lock);
    for (t = o->mm->told; t < o->mm->told + MM_TOLD_MOST; t++)
        if (t->used && t->forget && !*t->path && !t->deleting)
            *t = (struct told){ .used = false };
    pthread_mutex_unlock(&o->mm->lock);
}

static void list_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;
    bool current = call_end(data, &o, NULL);
    GError *error = NULL;
    GList *all = mm_modem_messaging_list_finish(MM_MODEM_MESSAGING(source), result, &error), *at;

    if (current)
        o->listing = false;
    if (current && !error) {
        o->listed = true;
        g_ptr_array_set_size(o->incomplete, 0);
        told_unpath(o, all);
        for (at = all; at; at = at->next)
            message_look(o, MM_SMS(at->data));
        told_sweep(o);
        own_poke(o);
    }
    g_list_free_full(all, g_object_unref);
    g_clear_error(&error);
}

void sms_paused(struct own *o)
{
    o->listed = false;
    o->list_due = true;
}

void sms_arrived(struct own *o)
{
    o->list_due = true;
    own_poke(o);
}

/* ---- deleting ---- */

/* Under the lock. What is not in the modem any more needs no deletion. */
static bool told_is_over(const struct own *o, const struct told *t)
{
    return t->used && t->forget && !*t->path && o->listed && !o->listing;
}

static bool told_take_forgotten(struct own *o, char *path, uint64_t *ret_key)
{
    struct mm *mm = o->mm;
    struct told *t;
    bool found = false;

    pthread_mutex_lock(&mm->lock);
    for (t = mm->told; t < mm->told + MM_TOLD_MOST && !found; t++) {
        if (told_is_over(o, t))
            *t = (struct told){ .used = false };
        found = t->used && t->forget && *t->path && !t->deleting;
        if (found) {
            t->deleting = true;
            *ret_key = t->key;
            text_copy(path, MM_PATH_ROOM, t->path);
        }
    }
    pthread_mutex_unlock(&mm->lock);
    return found;
}

/* Tried again when the next list still has it. */
static void deletion_failed(struct own *o, uint64_t key)
{
    struct told *t;

    pthread_mutex_lock(&o->mm->lock);
    for (t = o->mm->told; t < o->mm->told + MM_TOLD_MOST; t++)
        if (t->used && t->key == key) {
            t->path[0] = '\0';
            t->deleting = false;
        }
    pthread_mutex_unlock(&o->mm->lock);
    o->listed = false;
    o->list_due = true;
    o->list_us = g_get_monotonic_time() + AGAIN_S * G_USEC_PER_SEC;
}

static void delete_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    uint64_t key = ((struct call *)data)->key;
    struct own *o;
    bool current = call_end(data, &o, NULL);
    bool fine = mm_modem_messaging_delete_finish(MM_MODEM_MESSAGING(source), result, NULL);

    if (!current)
        return;
    o->deleting = false;
    if (fine)
        told_drop(o->mm, key);
    else
        deletion_failed(o, key);
    o->list_due |= o->list_again;
    own_poke(o);
}

static void disabled_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;

    call_end(data, &o, NULL);
    (void)mm_modem_disable_finish(MM_MODEM(source), result, NULL);
    own_poke(o);
}

/* One at a time: the daemon refuses a second while it is at the store. */
static void deletions_look(struct own *o, MMModemMessaging *face)
{
    char path[MM_PATH_ROOM];
    struct call *call;
    uint64_t key;

    if (o->deleting || !told_take_forgotten(o, path, &key))
        return;
    o->deleting = true;
    call = call_new(o, NULL, NULL);
    call->key = key;
    mm_modem_messaging_delete(face, path, o->cancel, delete_ready, call);
}

/* The daemon overlooks what an AT modem announces while it reads another message (as
 * of 1.20), so that a long one may stay without a part that is in the modem. It looks
 * at all of them when the modem is enabled: so the modem is disabled once, where that
 * ends no data session and nothing else is at work, and mm_care.c enables it again. */
static void parts_look(struct own *o)
{
    MMModem *modem = MM_MODEM(o->faces[FACE_MODEM].proxy);
    gint64 now = g_get_monotonic_time(), wait = o->mm->config.parts_wait_s * G_USEC_PER_SEC;

    if (o->incomplete->len == 0 || !o->listed)
        o->parts_us = now;
    if (wait == 0 || now - o->parts_us < wait || now < o->again_us || o->pending > 0 ||
        mm_modem_get_state(modem) > MM_MODEM_STATE_REGISTERED)
        return;
    o->again_us = now + MAX(wait, PARTS_AGAIN_S * G_USEC_PER_SEC);
    mm_modem_disable(modem, o->cancel, disabled_ready, call_new(o, NULL, NULL));
}

void sms_look(struct own *o)
{
    MMModemMessaging *face = o->faces[FACE_MESSAGING].proxy ? MM_MODEM_MESSAGING(o->faces[FACE_MESSAGING].proxy) : NULL;

    if (!face)
        return;
    if (o->list_due && !o->listing && g_get_monotonic_time() >= o->list_us) {
        o->list_due = o->list_again = false;
        o->listing = true;
        mm_modem_messaging_list(face, o->cancel, list_ready, call_new(o, NULL, NULL));
    }
    deletions_look(o, face);
    parts_look(o);
}

void sms_begin(struct own *o)
{
    o->incomplete = g_ptr_array_new_with_free_func(part_forget);
    o->list_due = true;
}

/* ---- sending: make, send, ask for the reference, delete the daemon's copy ---- */

static void copy_gone(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;

    call_end(data, &o, NULL);
    (void)mm_modem_messaging_delete_finish(MM_MODEM_MESSAGING(source), result, NULL);
}

static void copy_delete(struct own *o, MMSms *sms)
{
    if (o->faces[FACE_MESSAGING].proxy)
        mm_modem_messaging_delete(MM_MODEM_MESSAGING(o->faces[FACE_MESSAGING].proxy), mm_sms_get_path(sms), o->cancel,
                                  copy_gone, call_new(o, NULL, NULL));
}

static void send_end(struct own *o, struct job *job, int reference)
{
    struct mm_event e = { .code = -1, .reference = reference, .class = -1 };

    if (job->request.wants_report && reference >= 0) {
        o->due[o->due_at] = (struct report_due){ .used = true, .id = job->request.id, .reference = reference };
        o->due_at = (o->due_at + 1) % MM_SENT_MOST;
    }
    job_reply(o, job, &e);
}

static void reference_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct job *job;
    struct own *o;
    guint32 reference;

    call_end(data, &o, &job);
    reference = property_read(source, result);
    if (!o->closing)
        copy_delete(o, MM_SMS(source));
    send_end(o, job, reference <= UINT8_MAX ? (int)reference : -1);
}

static void send_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;

    call_end(data, &o, &job);
    if (mm_sms_send_finish(MM_SMS(source), result, &error)) {
        property_get(o, job, source, "org.freedesktop.ModemManager1.Sms", "MessageReference", reference_ready);
        return;
    }
    if (!o->closing)
        copy_delete(o, MM_SMS(source));
    job_end(o, job, error, NULL);
    g_clear_error(&error);
}

static void made_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;
    MMSms *sms;

    call_end(data, &o, &job);
    sms = mm_modem_messaging_create_finish(MM_MODEM_MESSAGING(source), result, &error);
    if (sms) {
        g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(sms), SEND_MOST_MS);
        mm_sms_send(sms, o->cancel, send_ready, call_new(o, job, sms));
        g_object_unref(sms);
        return;
    }
    job_end(o, job, error, NULL);
    g_clear_error(&error);
}

void sms_send(struct own *o, struct job *job)
{
    MMSmsProperties *message = mm_sms_properties_new();

    mm_sms_properties_set_number(message, job->number);
    mm_sms_properties_set_text(message, job->text);
    mm_sms_properties_set_delivery_report_request(message, job->request.wants_report);
    if (job->request.validity_s > 0)
        mm_sms_properties_set_validity_relative(message, (guint)((job->request.validity_s + 59) / 60));
    mm_modem_messaging_create(MM_MODEM_MESSAGING(o->faces[FACE_MESSAGING].proxy), message, o->cancel, made_ready,
                              call_new(o, job, NULL));
    g_object_unref(message);
}
