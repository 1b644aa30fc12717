/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_values.c - ModemManager's properties and errors as the values of at_values.h.
 *
 * Registration states of the daemon are the numbers of 3GPP TS 27.007, 10.1.22, its
 * errors of modem and message those of 9.2 there and of TS 27.005, 3.2.5. An error's
 * own text is not passed on: it may quote what was sent.
 *
 * Not here: when something is read (mm_care.c). */
#include <math.h>
#include <string.h>

#include "mm_own.h"

void text_copy(char *to, size_t room, const char *from)
{
    if (from)
        g_strlcpy(to, from, room);
    else
        to[0] = '\0';
}

/* ---- signal and network ---- */

static int16_t number_of(double value, double by)
{
    if (isnan(value) || value <= -1000 || value >= 1000)
        return AT_UNKNOWN; /* the library's sign for "not known" is the least double */
    return (int16_t)lround(value * by);
}

static void signal_read(MMModemSignal *face, struct at_signal *ret)
{
    MMSignal *gsm = mm_modem_signal_get_gsm(face), *umts = mm_modem_signal_get_umts(face);
    MMSignal *lte = mm_modem_signal_get_lte(face), *nr = mm_modem_signal_get_nr5g(face);

    if (gsm)
        ret->rssi_dbm = number_of(mm_signal_get_rssi(gsm), 1);
    if (umts) {
        ret->rscp_dbm = number_of(mm_signal_get_rscp(umts), 1);
        ret->ecno_ddb = number_of(mm_signal_get_ecio(umts), 10);
        if (ret->rssi_dbm == AT_UNKNOWN)
            ret->rssi_dbm = number_of(mm_signal_get_rssi(umts), 1);
    }
    if (lte) {
        ret->rsrp_dbm = number_of(mm_signal_get_rsrp(lte), 1);
        ret->rsrq_ddb = number_of(mm_signal_get_rsrq(lte), 10);
        if (ret->rssi_dbm == AT_UNKNOWN)
            ret->rssi_dbm = number_of(mm_signal_get_rssi(lte), 1);
    }
    if (nr) {
        ret->ss_rsrp_dbm = number_of(mm_signal_get_rsrp(nr), 1);
        ret->ss_rsrq_ddb = number_of(mm_signal_get_rsrq(nr), 10);
        ret->ss_sinr_ddb = number_of(mm_signal_get_snr(nr), 10);
    }
    g_clear_object(&gsm);
    g_clear_object(&umts);
    g_clear_object(&lte);
    g_clear_object(&nr);
}

/* <AcT> of TS 27.007, 7.3: the best of what is in use. LTE with 5G beside it is 13. */
static int technology_of(MMModemAccessTechnology mask)
{
    static const struct {
        MMModemAccessTechnology bit;
        int number;
    } table[] = {
        { MM_MODEM_ACCESS_TECHNOLOGY_5GNR, 11 },        { MM_MODEM_ACCESS_TECHNOLOGY_LTE_NB_IOT, 9 },
        { MM_MODEM_ACCESS_TECHNOLOGY_LTE_CAT_M, 7 },    { MM_MODEM_ACCESS_TECHNOLOGY_LTE, 7 },
        { MM_MODEM_ACCESS_TECHNOLOGY_HSPA_PLUS, 6 },    { MM_MODEM_ACCESS_TECHNOLOGY_HSPA, 6 },
        { MM_MODEM_ACCESS_TECHNOLOGY_HSUPA, 5 },        { MM_MODEM_ACCESS_TECHNOLOGY_HSDPA, 4 },
        { MM_MODEM_ACCESS_TECHNOLOGY_UMTS, 2 },         { MM_MODEM_ACCESS_TECHNOLOGY_EDGE, 3 },
        { MM_MODEM_ACCESS_TECHNOLOGY_GPRS, 0 },         { MM_MODEM_ACCESS_TECHNOLOGY_GSM_COMPACT, 1 },
        { MM_MODEM_ACCESS_TECHNOLOGY_GSM, 0 },
    };
    size_t i;

    if ((mask & MM_MODEM_ACCESS_TECHNOLOGY_5GNR) && (mask & MM_MODEM_ACCESS_TECHNOLOGY_LTE))
        return 13;
    for (i = 0; i < sizeof table / sizeof table[0]; i++)
        if (mask & table[i].bit)
            return table[i].number;
    return -1;
}

/* ---- SIM ---- */

static enum at_sim sim_of(MMModemLock lock)
{
    switch (lock) {
    case MM_MODEM_LOCK_NONE:
        return AT_SIM_READY;
    case MM_MODEM_LOCK_SIM_PIN:
        return AT_SIM_PIN;
    case MM_MODEM_LOCK_SIM_PIN2:
        return AT_SIM_PIN2;
    case MM_MODEM_LOCK_SIM_PUK:
        return AT_SIM_PUK;
    case MM_MODEM_LOCK_SIM_PUK2:
        return AT_SIM_PUK2;
    default:
        return AT_SIM_OTHER;
    }
}

static int tries_left(MMModem *modem, MMModemLock lock)
{
    MMUnlockRetries *tries = mm_modem_get_unlock_retries(modem);
    guint left = MM_UNLOCK_RETRIES_UNKNOWN;

    if (tries)
        left = mm_unlock_retries_get(tries, lock);
    g_clear_object(&tries);
    return left == MM_UNLOCK_RETRIES_UNKNOWN || left > 1000 ? -1 : (int)left;
}

static const char *trouble_of(MMModem *modem)
{
    MMModemState state = mm_modem_get_state(modem);

    if (state == MM_MODEM_STATE_LOCKED)
        return "the SIM is locked";
    if (state != MM_MODEM_STATE_FAILED)
        return "";
    switch (mm_modem_get_state_failed_reason(modem)) {
    case MM_MODEM_STATE_FAILED_REASON_SIM_MISSING:
        return "there is no SIM";
    case MM_MODEM_STATE_FAILED_REASON_SIM_ERROR:
        return "the SIM cannot be used";
    default:
        return "the modem cannot be used by ModemManager";
    }
}

static void modem_read(const struct own *o, MMModem *modem, struct mm_state *s)
{
    MMModemLock lock = mm_modem_get_unlock_required(modem);
    const char *const *own = mm_modem_get_own_numbers(modem);
    guint quality = mm_modem_get_signal_quality(modem, NULL);

    s->usable = mm_modem_get_state(modem) >= MM_MODEM_STATE_ENABLED;
    s->trouble = trouble_of(modem);
    text_copy(s->maker, sizeof s->maker, mm_modem_get_manufacturer(modem));
    text_copy(s->model, sizeof s->model, mm_modem_get_model(modem));
    text_copy(s->firmware, sizeof s->firmware, mm_modem_get_revision(modem));
    text_copy(s->imei, sizeof s->imei, mm_modem_get_equipment_identifier(modem));
    text_copy(s->port, sizeof s->port, mm_modem_get_primary_port(modem));
    text_copy(s->own_number, sizeof s->own_number, own ? own[0] : NULL);
    s->has_sim = lock != MM_MODEM_LOCK_UNKNOWN && mm_modem_get_sim_path(modem) != NULL;
    if (s->has_sim) {
        s->sim = sim_of(lock);
        s->pin_tries = tries_left(modem, lock);
        s->pin_refused = lock == MM_MODEM_LOCK_SIM_PIN && o->pin_sim[0] && !o->pin_trying;
    }
    s->technology = technology_of(mm_modem_get_access_technologies(modem));
    s->quality = s->usable ? (int)quality : -1;
    if (o->sim) {
        text_copy(s->imsi, sizeof s->imsi, mm_sim_get_imsi(o->sim));
        text_copy(s->iccid, sizeof s->iccid, mm_sim_get_identifier(o->sim));
    }
}

static void network_read(MMModem3gpp *face, struct mm_state *s)
{
    s->registration = (int)mm_modem_3gpp_get_registration_state(face);
    text_copy(s->operator_name, sizeof s->operator_name, mm_modem_3gpp_get_operator_name(face));
    text_copy(s->operator_code, sizeof s->operator_code, mm_modem_3gpp_get_operator_code(face));
}

/* ---- data ---- */

static void bearer_read(MMBearer *bearer, struct mm_state *s)
{
    MMBearerIpConfig *four = mm_bearer_get_ipv4_config(bearer), *six = mm_bearer_get_ipv6_config(bearer);
    MMBearerIpConfig *ip = four ? four : six;
    MMBearerStats *stats = mm_bearer_get_stats(bearer);

    s->connected = mm_bearer_get_connected(bearer);
    if (s->connected) {
        text_copy(s->interface, sizeof s->interface, mm_bearer_get_interface(bearer));
        s->is_ppp = ip && mm_bearer_ip_config_get_method(ip) == MM_BEARER_IP_METHOD_PPP;
        text_copy(s->address, sizeof s->address, ip ? mm_bearer_ip_config_get_address(ip) : NULL);
    }
    if (s->connected && stats && !s->is_ppp) {
        s->sent_bytes = mm_bearer_stats_get_tx_bytes(stats);
        s->received_bytes = mm_bearer_stats_get_rx_bytes(stats);
        s->counts = true;
    }
    g_clear_object(&four);
    g_clear_object(&six);
    g_clear_object(&stats);
}

static bool daemon_is_there(const struct own *o)
{
    char *owner = o->manager ? g_dbus_object_manager_client_get_name_owner(G_DBUS_OBJECT_MANAGER_CLIENT(o->manager)) : NULL;
    bool there = owner != NULL;

    g_free(owner);
    return there;
}

void values_read(const struct own *o, struct mm_state *ret)
{
    const struct at_signal unknown = { AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN,
                                       AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN };

    memset(ret, 0, sizeof *ret); /* states are compared whole */
    ret->trouble = !o->bus ? "the system bus cannot be reached" : "";
    ret->pin_tries = ret->registration = ret->technology = ret->quality = -1;
    ret->signal = unknown;
    ret->incomplete = o->incomplete->len;
    ret->presence = !daemon_is_there(o) ? MM_NO_DAEMON : !o->object ? MM_NO_MODEM : MM_THERE;
    if (ret->presence == MM_NO_DAEMON && o->bus)
        ret->trouble = "ModemManager is not on the system bus";
    else if (ret->presence == MM_NO_MODEM)
        ret->trouble = "ModemManager has no such modem";
    if (o->faces[FACE_MODEM].proxy)
        modem_read(o, MM_MODEM(o->faces[FACE_MODEM].proxy), ret);
    if (o->faces[FACE_3GPP].proxy && ret->usable)
        network_read(MM_MODEM_3GPP(o->faces[FACE_3GPP].proxy), ret);
    if (o->faces[FACE_SIGNAL].proxy && ret->usable)
        signal_read(MM_MODEM_SIGNAL(o->faces[FACE_SIGNAL].proxy), &ret->signal);
    if (o->bearer)
        bearer_read(o->bearer, ret);
}

/* ---- errors ---- */

struct meaning {
    int code;
    enum mm_fault fault;
    const char *words;
};

static void meaning_find(const struct meaning *table, size_t count, int code, struct mm_event *ret)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (table[i].code == code) {
            ret->fault = table[i].fault;
            ret->words = table[i].words;
        }
}

#define FIND(table, code, ret) meaning_find(table, sizeof(table) / sizeof((table)[0]), code, ret)

static void core_read(int code, struct mm_event *ret)
{
    static const struct meaning table[] = {
        { MM_CORE_ERROR_UNSUPPORTED, MM_UNSUPPORTED, "this modem cannot do it" },
        { MM_CORE_ERROR_UNAUTHORIZED, MM_FORBIDDEN, "ModemManager does not allow it to this user (polkit)" },
        { MM_CORE_ERROR_INVALID_ARGS, MM_BAD, "ModemManager refuses the request" },
        { MM_CORE_ERROR_IN_PROGRESS, MM_BUSY, "the modem is doing something else" },
        { MM_CORE_ERROR_WRONG_STATE, MM_BUSY, "the modem is not ready for it" },
        { MM_CORE_ERROR_RETRY, MM_BUSY, "to be tried again" },
        { MM_CORE_ERROR_NOT_FOUND, MM_FAILED, "not there" },
        { MM_CORE_ERROR_ABORTED, MM_FAILED, "broken off" },
        { MM_CORE_ERROR_CANCELLED, MM_FAILED, "broken off" },
    };

    FIND(table, code, ret);
}

static void bus_read(int code, struct mm_event *ret)
{
    static const struct meaning table[] = {
        { G_DBUS_ERROR_ACCESS_DENIED, MM_FORBIDDEN, "the bus does not allow it to this user" },
        { G_DBUS_ERROR_AUTH_FAILED, MM_FORBIDDEN, "the bus does not allow it to this user" },
        { G_DBUS_ERROR_NO_REPLY, MM_ABSENT, "ModemManager went while it was at it" },
        { G_DBUS_ERROR_DISCONNECTED, MM_ABSENT, "the bus is gone" },
        { G_DBUS_ERROR_SERVICE_UNKNOWN, MM_ABSENT, "ModemManager is not there" },
        { G_DBUS_ERROR_NAME_HAS_NO_OWNER, MM_ABSENT, "ModemManager is not there" },
        { G_DBUS_ERROR_UNKNOWN_OBJECT, MM_ABSENT, "the modem is gone" },
        { G_DBUS_ERROR_UNKNOWN_INTERFACE, MM_ABSENT, "the modem is gone" },
        { G_DBUS_ERROR_UNKNOWN_METHOD, MM_ABSENT, "the modem is gone" },
        { G_DBUS_ERROR_TIMEOUT, MM_TIMED_OUT, "ModemManager did not answer" },
        { G_DBUS_ERROR_TIMED_OUT, MM_TIMED_OUT, "ModemManager did not answer" },
    };

    FIND(table, code, ret);
}

static void call_read(int code, struct mm_event *ret)
{
    static const struct meaning table[] = {
        { MM_CONNECTION_ERROR_NO_CARRIER, MM_NETWORK, "no carrier" },
        { MM_CONNECTION_ERROR_NO_DIALTONE, MM_NETWORK, "no dialtone" },
        { MM_CONNECTION_ERROR_BUSY, MM_NETWORK, "busy" },
        { MM_CONNECTION_ERROR_NO_ANSWER, MM_NETWORK, "no answer" },
    };
    static const enum at_result results[] = { AT_NO_CARRIER, AT_NO_DIALTONE, AT_BUSY, AT_NO_ANSWER };
    size_t i;

    FIND(table, code, ret);
    for (i = 0; i < sizeof results / sizeof results[0]; i++)
        if (table[i].code == code)
            ret->result = results[i];
}

static void network_error(enum at_result result, int code, bool locked, struct mm_event *ret)
{
    ret->fault = locked ? MM_LOCKED : MM_NETWORK;
    ret->result = result;
    ret->code = code;
    ret->words = at_error_words(result, code);
}

void fault_read(const GError *error, struct mm_event *ret)
{
    int code = error->code;

    ret->fault = MM_FAILED;
    ret->result = AT_ERROR;
    ret->code = -1;
    ret->words = "ModemManager could not do it";
    if (error->domain == MM_CORE_ERROR)
        core_read(code, ret);
    else if (error->domain == MM_MOBILE_EQUIPMENT_ERROR)
        network_error(AT_CME_ERROR, code, code == 11 || code == 12, ret);
    else if (error->domain == MM_MESSAGE_ERROR)
        network_error(AT_CMS_ERROR, code, code == 311 || code == 316, ret);
    else if (error->domain == MM_CONNECTION_ERROR)
        call_read(code, ret);
    else if (error->domain == G_DBUS_ERROR)
        bus_read(code, ret);
    if (g_error_matches(error, MM_SERIAL_ERROR, MM_SERIAL_ERROR_RESPONSE_TIMEOUT) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        ret->fault = MM_TIMED_OUT;
        ret->words = "the modem did not answer";
    }
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED)) {
        ret->fault = MM_ABSENT;
        ret->words = "the bus is gone";
    }
}

/* ---- times ---- */

/* ISO 8601 as the daemon writes it: hours alone may stand for the zone, and a time
 * without one is UTC. */
bool time_read(const char *text, struct sms_time *ret)
{
    GTimeZone *utc = g_time_zone_new_utc();
    GDateTime *when = text && *text ? g_date_time_new_from_iso8601(text, utc) : NULL;

    g_time_zone_unref(utc);
    *ret = (struct sms_time){ .is_set = when != NULL };
    if (!when)
        return false;
    ret->utc_ns = g_date_time_to_unix(when) * INT64_C(1000000000);
    ret->zone_min = (int16_t)(g_date_time_get_utc_offset(when) / G_TIME_SPAN_MINUTE);
    g_date_time_unref(when);
    return true;
}
