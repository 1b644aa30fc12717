/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_care.c - brings a modem up and keeps looking at it: SIM, PIN, radio, signal,
 * position, data session.
 *
 * Nothing here is a script: each look compares what the daemon says with what is
 * wanted and asks for what is missing, so that a modem which resets, a SIM that is
 * changed or a daemon that is restarted in the middle all end the same way. A PIN
 * is tried once a SIM, since three wrong ones lock it.
 *
 * Not here: messages (mm_sms.c), requests (mm_jobs.c). */
#include <string.h>

#include "mm_own.h"

enum { AGAIN_S = 10, PIN_TRIES_LEAST = 3 };

static gint64 after(gint64 seconds)
{
    return g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
}

/* ---- SIM ---- */

static void sim_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;
    bool current = call_end(data, &o, NULL);
    MMSim *sim = mm_modem_get_sim_finish(MM_MODEM(source), result, NULL);

    if (current) {
        o->sim_asked = false;
        g_clear_object(&o->sim);
        o->sim = sim ? g_object_ref(sim) : NULL;
        own_poke(o);
    }
    g_clear_object(&sim);
}

static void sim_look(struct own *o, MMModem *modem)
{
    const char *path = mm_modem_get_sim_path(modem);

    if (o->sim_asked || !path || (o->sim && strcmp(mm_sim_get_path(o->sim), path) == 0))
        return;
    o->sim_asked = true;
    mm_modem_get_sim(modem, o->cancel, sim_ready, call_new(o, NULL, NULL));
}

/* A right PIN may be wanted again after the next reset; a wrong one never is. */
static void pin_sent(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;
    bool current = call_end(data, &o, NULL), fine = mm_sim_send_pin_finish(MM_SIM(source), result, NULL);

    if (fine)
        o->pin_sim[0] = '\0';
    if (!current)
        return;
    o->pin_trying = false;
    own_poke(o);
}

static void pin_look(struct own *o, MMModem *modem)
{
    const char *pin = o->mm->config.pin, *name = o->sim ? mm_sim_get_identifier(o->sim) : NULL;
    MMUnlockRetries *tries;
    guint left;

    if (!pin || !*pin || !o->sim || o->pin_trying || mm_modem_get_unlock_required(modem) != MM_MODEM_LOCK_SIM_PIN)
        return;
    if (!name || !*name)
        name = "?";
    tries = mm_modem_get_unlock_retries(modem);
    left = tries ? mm_unlock_retries_get(tries, MM_MODEM_LOCK_SIM_PIN) : MM_UNLOCK_RETRIES_UNKNOWN;
    g_clear_object(&tries);
    if (left < PIN_TRIES_LEAST || strncmp(o->pin_sim, name, sizeof o->pin_sim - 1) == 0)
        return;
    text_copy(o->pin_sim, sizeof o->pin_sim, name);
    o->pin_trying = true;
    mm_sim_send_pin(o->sim, pin, o->cancel, pin_sent, call_new(o, NULL, NULL));
}

/* ---- radio ---- */

static void enable_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;
    bool current = call_end(data, &o, NULL), fine = mm_modem_enable_finish(MM_MODEM(source), result, NULL);

    if (!current)
        return;
    o->enabling = false;
    o->enable_us = fine ? 0 : after(AGAIN_S);
    own_poke(o);
}

static void enable_look(struct own *o, MMModem *modem)
{
    if (o->enabling || mm_modem_get_state(modem) != MM_MODEM_STATE_DISABLED || g_get_monotonic_time() < o->enable_us)
        return;
    o->enabling = true;
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(modem), 180 * 1000);
    mm_modem_enable(modem, o->cancel, enable_ready, call_new(o, NULL, NULL));
}

/* ---- signal and position: asked for once, missing in many modems ---- */

static void signal_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;

    call_end(data, &o, NULL);
    (void)mm_modem_signal_setup_finish(MM_MODEM_SIGNAL(source), result, NULL);
}

static void signal_look(struct own *o)
{
    if (o->signal_set || !o->faces[FACE_SIGNAL].proxy)
        return;
    o->signal_set = true;
    mm_modem_signal_setup(MM_MODEM_SIGNAL(o->faces[FACE_SIGNAL].proxy), MAX(o->mm->config.poll_s, 1U), o->cancel,
                          signal_ready, call_new(o, NULL, NULL));
}

static void place_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;

    call_end(data, &o, NULL);
    (void)mm_modem_location_setup_finish(MM_MODEM_LOCATION(source), result, NULL);
}

static void place_ask(struct own *o, MMModemLocation *face)
{
    MMModemLocationSource sources = mm_modem_location_get_enabled(face);

    o->place_set = true;
    if (!(mm_modem_location_get_capabilities(face) & MM_MODEM_LOCATION_SOURCE_GPS_RAW))
        return;
    sources |= MM_MODEM_LOCATION_SOURCE_GPS_RAW;
    mm_modem_location_setup(face, sources, TRUE, o->cancel, place_ready, call_new(o, NULL, NULL));
}

static void place_tell(struct own *o, MMLocationGpsRaw *raw)
{
    double latitude = mm_location_gps_raw_get_latitude(raw), longitude = mm_location_gps_raw_get_longitude(raw);
    double altitude = mm_location_gps_raw_get_altitude(raw);
    struct mm_event e = { .kind = MM_POSITION, .code = -1, .reference = -1, .class = -1, .position.satellites = -1 };

    if (latitude < -90 || latitude > 90 || longitude < -180 || longitude > 180)
        return; /* the library's sign for "not known" is the least double */
    e.position.has_fix = true;
    e.position.latitude = latitude;
    e.position.longitude = longitude;
    e.position.has_altitude = altitude > -20000 && altitude < 100000;
    if (e.position.has_altitude)
        e.position.altitude_m = altitude;
    (void)mm_tell(o->mm, &e, NULL); /* the next one comes soon */
}

static void place_look(struct own *o)
{
    MMModemLocation *face = o->faces[FACE_LOCATION].proxy ? MM_MODEM_LOCATION(o->faces[FACE_LOCATION].proxy) : NULL;
    MMLocationGpsRaw *raw;
    const char *time;

    if (!face || !o->mm->config.wants_position)
        return;
    if (!o->place_set)
        place_ask(o, face);
    raw = mm_modem_location_get_signaled_gps_raw(face);
    time = raw ? mm_location_gps_raw_get_utc_time(raw) : NULL;
    if (time && strncmp(o->place_time, time, sizeof o->place_time - 1) != 0) {
        text_copy(o->place_time, sizeof o->place_time, time);
        place_tell(o, raw);
    }
    g_clear_object(&raw);
}

/* ---- data session ---- */

static void bearer_changed(GDBusProxy *proxy, GVariant *changed, char **invalidated, gpointer own)
{
    (void)proxy;
    (void)changed;
    (void)invalidated;
    own_poke(own);
}

static void bearer_drop(struct own *o)
{
    if (o->bearer)
        g_signal_handler_disconnect(o->bearer, o->bearer_changed);
    g_clear_object(&o->bearer);
}

/* Of several bearers the one that is up counts, else the last one made. */
static void bearers_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;
    bool current = call_end(data, &o, NULL);
    GList *all = mm_modem_list_bearers_finish(MM_MODEM(source), result, NULL), *at;
    MMBearer *best = NULL;

    for (at = all; at && current; at = at->next)
        if (!best || !mm_bearer_get_connected(best))
            best = MM_BEARER(at->data);
    if (current) {
        o->bearers_asked = false;
        bearer_drop(o);
    }
    if (best) {
        o->bearer = g_object_ref(best);
        o->bearer_changed = g_signal_connect(best, "g-properties-changed", G_CALLBACK(bearer_changed), o);
        own_poke(o);
    }
    g_list_free_full(all, g_object_unref);
}

static bool bearers_are_listed(const struct own *o, MMModem *modem)
{
    const char *const *paths = mm_modem_get_bearer_paths(modem);
    static const char *const none[] = { NULL };

    return g_strv_equal(paths ? paths : none, o->bearer_paths ? (const char *const *)o->bearer_paths : none);
}

static void bearers_look(struct own *o, MMModem *modem)
{
    bool is_up = mm_modem_get_state(modem) == MM_MODEM_STATE_CONNECTED;
    bool missed = is_up && !(o->bearer && mm_bearer_get_connected(o->bearer)) && g_get_monotonic_time() >= o->bearers_us;

    if (o->bearers_asked || (bearers_are_listed(o, modem) && !missed))
        return;
    o->bearers_asked = true;
    o->bearers_us = after(1);
    g_strfreev(o->bearer_paths);
    o->bearer_paths = mm_modem_dup_bearer_paths(modem);
    if (o->bearer_paths && o->bearer_paths[0]) {
        mm_modem_list_bearers(modem, o->cancel, bearers_ready, call_new(o, NULL, NULL));
        return;
    }
    o->bearers_asked = false;
    bearer_drop(o);
    own_poke(o);
}

/* ---- all of it ---- */

void care_forget(struct own *o)
{
    g_clear_object(&o->sim);
    bearer_drop(o);
    g_strfreev(o->bearer_paths);
    o->bearer_paths = NULL;
    o->sim_asked = o->enabling = o->pin_trying = o->signal_set = o->place_set = o->bearers_asked = false;
    o->enable_us = o->bearers_us = 0;
    o->ussd_text[0] = '\0';
}

static void modem_look(struct own *o)
{
    MMModem *modem = MM_MODEM(o->faces[FACE_MODEM].proxy);

    sim_look(o, modem);
    pin_look(o, modem);
    enable_look(o, modem);
    if (mm_modem_get_state(modem) < MM_MODEM_STATE_ENABLED) {
        o->signal_set = o->place_set = false;
        sms_paused(o);
        return;
    }
    signal_look(o);
    place_look(o);
    bearers_look(o, modem);
    sms_look(o);
}

void care_look(struct own *o)
{
    struct mm_state state;

    if (o->faces[FACE_MODEM].proxy)
        modem_look(o);
    values_read(o, &state);
    mm_publish(o->mm, &state);
    jobs_look(o);
}
