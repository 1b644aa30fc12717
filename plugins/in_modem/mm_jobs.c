/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_jobs.c - requests to a modem by ModemManager: USSD, data session, reset, network
 * time; and what the network says by itself of these.
 *
 * Each request is answered once, also when the modem or the daemon goes while it is
 * at work. A modem that is away is said at once: whether to wait is the asker's to
 * decide.
 *
 * Not here: messages (mm_sms.c). */
#include <string.h>

#include "mm_own.h"

enum { CONNECT_MOST_MS = 300 * 1000, USSD_MOST_MS = 150 * 1000 };

/* ---- replies ---- */

void job_reply(struct own *o, struct job *job, const struct mm_event *event)
{
    struct mm_event e = *event;

    if (o->closing)
        return; /* nobody reads it */
    e.kind = MM_REPLY;
    e.id = job->request.id;
    e.verb = job->request.verb;
    (void)mm_tell(o->mm, &e, job); /* it always fits */
}

void job_end(struct own *o, struct job *job, const GError *error, const char *text)
{
    struct mm_event e = { .code = -1, .reference = -1, .class = -1, .text = text };

    if (error)
        fault_read(error, &e);
    if (text)
        e.text_size = strlen(text);
    job_reply(o, job, &e);
}

void job_fault(struct own *o, struct job *job, enum mm_fault fault, const char *words)
{
    job_reply(o, job, &(struct mm_event){ .fault = fault, .words = words, .result = AT_ERROR,
                                          .code = -1, .reference = -1, .class = -1 });
}

/* ---- network time ---- */

static bool clock_read(const char *text, struct at_time *ret)
{
    struct sms_time when;

    if (!time_read(text, &when))
        return false;
    *ret = (struct at_time){ .has_time = true, .has_zone = true, .utc_ns = when.utc_ns, .zone_min = when.zone_min };
    return true;
}

void clock_told(struct own *o, const char *text)
{
    struct mm_event e = { .kind = MM_CLOCK, .code = -1, .reference = -1, .class = -1 };

    if (clock_read(text, &e.clock))
        (void)mm_tell(o->mm, &e, NULL); /* one that is lost is not missed: it can be asked for */
}

static void time_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct mm_event e = { .code = -1, .reference = -1, .class = -1 };
    GError *error = NULL;
    struct job *job;
    struct own *o;
    char *text;

    call_end(data, &o, &job);
    text = mm_modem_time_get_network_time_finish(MM_MODEM_TIME(source), result, &error);
    if (error)
        fault_read(error, &e);
    else if (!clock_read(text, &e.clock)) {
        e.fault = MM_FAILED;
        e.words = "the modem does not know the time";
    }
    job_reply(o, job, &e);
    g_free(text);
    g_clear_error(&error);
}

/* ---- USSD ---- */

static void ussd_reply(struct own *o, struct job *job, const char *text, bool waits)
{
    struct mm_event e = { .code = -1, .reference = -1, .class = -1, .text = text, .text_size = strlen(text), .ussd = waits };

    o->ussd_jobs--;
    job_reply(o, job, &e);
}

static void ussd_state_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct job *job;
    struct own *o;
    guint32 state;

    call_end(data, &o, &job);
    state = property_read(source, result);
    ussd_reply(o, job, job->text, state == MM_MODEM_3GPP_USSD_SESSION_STATE_USER_RESPONSE);
}

/* Whether the network waits for an answer is asked for: the signal that says so may
 * be behind the reply. The text waits where the request's was. */
static void ussd_end(struct own *o, struct job *job, const GError *error, const char *text, GObject *face)
{
    if (error) {
        o->ussd_jobs--;
        job_end(o, job, error, NULL);
        return;
    }
    text_copy(job->text, sizeof job->text, text);
    text_copy(o->ussd_text, sizeof o->ussd_text, text); /* not to be told once more by itself */
    property_get(o, job, face, "org.freedesktop.ModemManager1.Modem.Modem3gpp.Ussd", "State", ussd_state_ready);
}

static void ussd_initiated(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;
    char *text;

    call_end(data, &o, &job);
    text = mm_modem_3gpp_ussd_initiate_finish(MM_MODEM_3GPP_USSD(source), result, &error);
    ussd_end(o, job, error, text, source);
    g_free(text);
    g_clear_error(&error);
}

static void ussd_answered(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;
    char *text;

    call_end(data, &o, &job);
    text = mm_modem_3gpp_ussd_respond_finish(MM_MODEM_3GPP_USSD(source), result, &error);
    ussd_end(o, job, error, text, source);
    g_free(text);
    g_clear_error(&error);
}

static void ussd_cancelled(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;

    call_end(data, &o, &job);
    (void)mm_modem_3gpp_ussd_cancel_finish(MM_MODEM_3GPP_USSD(source), result, &error);
    ussd_end(o, job, error, NULL, source);
    g_clear_error(&error);
}

static void ussd_start(struct own *o, struct job *job)
{
    MMModem3gppUssd *face = MM_MODEM_3GPP_USSD(o->faces[FACE_USSD].proxy);
    struct call *call = call_new(o, job, NULL);

    o->ussd_jobs++;
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(face), USSD_MOST_MS);
    if (job->request.verb == MM_USSD)
        mm_modem_3gpp_ussd_initiate(face, job->text, o->cancel, ussd_initiated, call);
    else if (job->request.verb == MM_USSD_ANSWER)
        mm_modem_3gpp_ussd_respond(face, job->text, o->cancel, ussd_answered, call);
    else
        mm_modem_3gpp_ussd_cancel(face, o->cancel, ussd_cancelled, call);
}

/* What the network says without having been asked. */
static void ussd_look(struct own *o)
{
    MMModem3gppUssd *face = o->faces[FACE_USSD].proxy ? MM_MODEM_3GPP_USSD(o->faces[FACE_USSD].proxy) : NULL;
    struct mm_event e = { .kind = MM_USSD_TEXT, .code = -1, .reference = -1, .class = -1 };
    MMModem3gppUssdSessionState state;

    if (!face || o->ussd_jobs > 0)
        return;
    state = mm_modem_3gpp_ussd_get_state(face);
    e.ussd = state == MM_MODEM_3GPP_USSD_SESSION_STATE_USER_RESPONSE;
    e.text = e.ussd ? mm_modem_3gpp_ussd_get_network_request(face) : mm_modem_3gpp_ussd_get_network_notification(face);
    if (!e.text || !*e.text || strncmp(o->ussd_text, e.text, sizeof o->ussd_text - 1) == 0)
        return;
    e.text_size = strlen(e.text);
    if (mm_tell(o->mm, &e, NULL))
        text_copy(o->ussd_text, sizeof o->ussd_text, e.text);
}

/* ---- data session ---- */

static void connect_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    MMBearer *bearer;
    struct job *job;
    struct own *o;

    call_end(data, &o, &job);
    bearer = mm_modem_simple_connect_finish(MM_MODEM_SIMPLE(source), result, &error);
    job_end(o, job, error, bearer ? mm_bearer_get_interface(bearer) : NULL);
    g_clear_object(&bearer);
    g_clear_error(&error);
}

static void disconnect_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;

    call_end(data, &o, &job);
    (void)mm_modem_simple_disconnect_finish(MM_MODEM_SIMPLE(source), result, &error);
    job_end(o, job, error, NULL);
    g_clear_error(&error);
}

static MMSimpleConnectProperties *session_of(const struct job *job)
{
    static const MMBearerIpFamily families[] = { MM_BEARER_IP_FAMILY_IPV4, MM_BEARER_IP_FAMILY_IPV6,
                                                 MM_BEARER_IP_FAMILY_IPV4V6 };
    MMSimpleConnectProperties *p = mm_simple_connect_properties_new();
    const struct mm_request *r = &job->request;

    mm_simple_connect_properties_set_apn(p, r->apn ? r->apn : "");
    mm_simple_connect_properties_set_allow_roaming(p, r->roams);
    if (r->pdp >= 0 && r->pdp < 3)
        mm_simple_connect_properties_set_ip_type(p, families[r->pdp]);
    if (r->user)
        mm_simple_connect_properties_set_user(p, r->user);
    if (r->password)
        mm_simple_connect_properties_set_password(p, r->password);
    return p;
}

static void session_start(struct own *o, struct job *job)
{
    MMModemSimple *simple = mm_object_peek_modem_simple(o->object);
    MMSimpleConnectProperties *p;

    if (!simple) {
        job_fault(o, job, MM_UNSUPPORTED, "this modem has no data session");
        return;
    }
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(simple), CONNECT_MOST_MS);
    if (job->request.verb == MM_DISCONNECT) {
        mm_modem_simple_disconnect(simple, NULL, o->cancel, disconnect_ready, call_new(o, job, NULL));
        return;
    }
    p = session_of(job);
    mm_modem_simple_connect(simple, p, o->cancel, connect_ready, call_new(o, job, NULL));
    g_object_unref(p);
}

/* ---- reset ---- */

static void disable_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;

    call_end(data, &o, &job);
    (void)mm_modem_disable_finish(MM_MODEM(source), result, &error);
    job_end(o, job, error, NULL); /* mm_care.c enables it again */
    g_clear_error(&error);
}

static void reset_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    struct job *job;
    struct own *o;

    call_end(data, &o, &job);
    (void)mm_modem_reset_finish(MM_MODEM(source), result, &error);
    if (g_error_matches(error, MM_CORE_ERROR, MM_CORE_ERROR_UNSUPPORTED) && !o->closing)
        mm_modem_disable(MM_MODEM(source), o->cancel, disable_ready, call_new(o, job, NULL));
    else
        job_end(o, job, error, NULL);
    g_clear_error(&error);
}

/* ---- all of them ---- */

static enum face face_of(enum mm_verb verb)
{
    switch (verb) {
    case MM_SEND:
        return FACE_MESSAGING;
    case MM_USSD:
    case MM_USSD_ANSWER:
    case MM_USSD_CANCEL:
        return FACE_USSD;
    case MM_TIME:
        return FACE_TIME;
    default:
        return FACE_MODEM;
    }
}

/* Whether it can be begun; else it has its reply. */
static bool job_can_start(struct own *o, struct job *job)
{
    MMModem *modem = o->faces[FACE_MODEM].proxy ? MM_MODEM(o->faces[FACE_MODEM].proxy) : NULL;
    MMModemState state = modem ? mm_modem_get_state(modem) : MM_MODEM_STATE_UNKNOWN;
    bool found = false;

    if (!modem)
        job_fault(o, job, MM_ABSENT, "the modem is not there");
    else if (state == MM_MODEM_STATE_LOCKED)
        job_fault(o, job, MM_LOCKED, "the SIM is locked");
    else if (state == MM_MODEM_STATE_FAILED && job->request.verb != MM_RESET)
        job_fault(o, job, MM_ABSENT, "ModemManager cannot use the modem");
    else if (state < MM_MODEM_STATE_ENABLED && job->request.verb != MM_RESET)
        job_fault(o, job, MM_BUSY, "the modem is not ready yet");
    else if (!o->faces[face_of(job->request.verb)].proxy)
        job_fault(o, job, MM_UNSUPPORTED, "this modem cannot do it");
    else
        found = true;
    return found;
}

static void job_start(struct own *o, struct job *job)
{
    switch (job->request.verb) {
    case MM_SEND:
        sms_send(o, job);
        break;
    case MM_USSD:
    case MM_USSD_ANSWER:
    case MM_USSD_CANCEL:
        ussd_start(o, job);
        break;
    case MM_CONNECT:
    case MM_DISCONNECT:
        session_start(o, job);
        break;
    case MM_RESET:
        mm_modem_reset(MM_MODEM(o->faces[FACE_MODEM].proxy), o->cancel, reset_ready, call_new(o, job, NULL));
        break;
    case MM_TIME:
        mm_modem_time_get_network_time(MM_MODEM_TIME(o->faces[FACE_TIME].proxy), o->cancel, time_ready,
                                       call_new(o, job, NULL));
        break;
    }
}

void jobs_look(struct own *o)
{
    struct job *job;

    ussd_look(o);
    while ((job = mm_take_job(o->mm)) != NULL)
        if (job_can_start(o, job))
            job_start(o, job);
}
