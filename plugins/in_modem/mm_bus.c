/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_bus.c - the thread of libmm-glib: the system bus, the daemon on it, and the
 * modem that the configuration names.
 *
 * The connection is one of its own, since the process-wide one of GLib ends the
 * process when the bus goes, and stays when the instance is closed. A bus that is
 * away is tried again with back-off; a daemon that is away is asked for (D-Bus
 * activation) now and then, because an init system need not restart what was killed.
 *
 * Not here: what is done with a modem once it is there (mm_care.c). */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "mm_own.h"

enum { RETRY_MOST_S = 30, START_AGAIN_S = 30 };

static gboolean bus_try(gpointer own);

/* ---- calls ---- */

struct call *call_new(struct own *o, struct job *job, gpointer thing)
{
    struct call *call = g_new0(struct call, 1);

    call->own = o;
    call->generation = o->generation;
    call->job = job;
    call->thing = thing ? g_object_ref(thing) : NULL;
    o->pending++;
    return call;
}

bool call_end(struct call *call, struct own **ret_own, struct job **ret_job)
{
    struct own *o = call->own;
    bool current = call->generation == o->generation && !o->closing;

    *ret_own = o;
    if (ret_job)
        *ret_job = call->job;
    g_clear_object(&call->thing);
    g_free(call);
    o->pending--;
    if (o->closing && o->pending == 0)
        g_main_loop_quit(o->loop);
    return current;
}

void property_get(struct own *o, struct job *job, GObject *proxy, const char *face, const char *name,
                  GAsyncReadyCallback ready)
{
    g_dbus_proxy_call(G_DBUS_PROXY(proxy), "org.freedesktop.DBus.Properties.Get", g_variant_new("(ss)", face, name),
                      G_DBUS_CALL_FLAGS_NONE, -1, o->cancel, ready, call_new(o, job, proxy));
}

guint32 property_read(GObject *proxy, GAsyncResult *result)
{
    GVariant *answer = g_dbus_proxy_call_finish(G_DBUS_PROXY(proxy), result, NULL), *value = NULL;
    guint32 number = UINT32_MAX;

    if (answer && g_variant_is_of_type(answer, G_VARIANT_TYPE("(v)")))
        g_variant_get(answer, "(v)", &value);
    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        number = g_variant_get_uint32(value);
    g_clear_pointer(&value, g_variant_unref);
    g_clear_pointer(&answer, g_variant_unref);
    return number;
}

/* ---- sources of this context ---- */

static GSource *source_add(struct own *o, GSource *source, GSourceFunc run)
{
    g_source_set_callback(source, run, o, NULL);
    g_source_attach(source, o->context);
    return source;
}

static void source_end(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
    }
    *source = NULL;
}

static gboolean look_now(gpointer own)
{
    struct own *o = own;

    source_end(&o->soon);
    care_look(o);
    return G_SOURCE_REMOVE;
}

void own_poke(struct own *o)
{
    if (!o->soon && !o->closing)
        o->soon = source_add(o, g_idle_source_new(), look_now);
}

/* ---- the modem ---- */

/* "/dev/ttyUSB2" and the port name "ttyUSB2" are one. */
static bool port_is(const char *port, const char *device)
{
    if (strncmp(device, "/dev/", 5) == 0)
        device += 5;
    return port && strcmp(port, device) == 0;
}

static bool modem_has_port(MMModem *modem, const char *device)
{
    MMModemPortInfo *ports = NULL;
    guint i, count = 0;
    bool found = port_is(mm_modem_get_primary_port(modem), device);

    if (!found && mm_modem_get_ports(modem, &ports, &count)) {
        for (i = 0; i < count && !found; i++)
            found = port_is(ports[i].name, device);
        mm_modem_port_info_array_free(ports, count);
    }
    return found;
}

/* By a port, by a link to one (/dev/serial/by-id/...), or by the path in sysfs. */
static bool modem_is_named(MMModem *modem, const char *device)
{
    const char *sysfs = mm_modem_get_device(modem);
    char *real;
    bool same;

    if (!device || modem_has_port(modem, device) || (sysfs && strcmp(sysfs, device) == 0))
        return true;
    real = realpath(device, NULL);
    same = real && (modem_has_port(modem, real) || (sysfs && strcmp(sysfs, real) == 0));
    free(real);
    return same;
}

/* ".../Modem/7": the lower one was there first. */
static unsigned long number_of(MMObject *object)
{
    const char *path = g_dbus_object_get_object_path(G_DBUS_OBJECT(object));
    const char *last = path ? strrchr(path, '/') : NULL;

    return last ? strtoul(last + 1, NULL, 10) : 0;
}

static MMObject *modem_find(const struct own *o)
{
    GList *all = g_dbus_object_manager_get_objects(G_DBUS_OBJECT_MANAGER(o->manager)), *at;
    MMObject *best = NULL;

    for (at = all; at; at = at->next) {
        MMObject *object = MM_OBJECT(at->data);
        MMModem *modem = mm_object_peek_modem(object);

        if (modem && modem_is_named(modem, o->mm->config.device) && (!best || number_of(object) < number_of(best)))
            best = object;
    }
    if (best)
        g_object_ref(best);
    g_list_free_full(all, g_object_unref);
    return best;
}

static void face_changed(GDBusProxy *proxy, GVariant *changed, char **invalidated, gpointer own)
{
    (void)proxy;
    (void)changed;
    (void)invalidated;
    own_poke(own);
}

static void sms_added(MMModemMessaging *face, const char *path, gboolean received, gpointer own)
{
    struct own *o = own;

    (void)face;
    (void)path;
    (void)received;
    sms_arrived(o);
}

static void clock_changed(MMModemTime *face, const char *text, gpointer own)
{
    (void)face;
    clock_told(own, text);
}

static void face_drop(struct bound *b)
{
    if (!b->proxy)
        return;
    g_signal_handler_disconnect(b->proxy, b->changed);
    if (b->more)
        g_signal_handler_disconnect(b->proxy, b->more);
    g_clear_object(&b->proxy);
    b->more = 0;
}

/* Takes over `proxy`, which may be NULL: the modem has no such interface now. */
static void face_take(struct own *o, enum face face, gpointer proxy)
{
    struct bound *b = &o->faces[face];

    if (b->proxy == proxy) {
        g_clear_object(&proxy);
        return;
    }
    face_drop(b);
    if (!proxy)
        return;
    b->proxy = proxy;
    b->changed = g_signal_connect(proxy, "g-properties-changed", G_CALLBACK(face_changed), o);
    if (face == FACE_MESSAGING) {
        b->more = g_signal_connect(proxy, "added", G_CALLBACK(sms_added), o);
        o->list_due = true;
        /* A report may take as long as the network does. */
        g_dbus_proxy_set_default_timeout(b->proxy, 60 * 1000);
    }
    if (face == FACE_TIME)
        b->more = g_signal_connect(proxy, "network-time-changed", G_CALLBACK(clock_changed), o);
}

static void faces_take(struct own *o)
{
    MMObject *m = o->object;

    face_take(o, FACE_MODEM, mm_object_get_modem(m));
    face_take(o, FACE_3GPP, mm_object_get_modem_3gpp(m));
    face_take(o, FACE_SIGNAL, mm_object_get_modem_signal(m));
    face_take(o, FACE_MESSAGING, mm_object_get_modem_messaging(m));
    face_take(o, FACE_TIME, mm_object_get_modem_time(m));
    face_take(o, FACE_USSD, mm_object_get_modem_3gpp_ussd(m));
    face_take(o, FACE_LOCATION, mm_object_get_modem_location(m));
}

static void modem_drop(struct own *o)
{
    int i;

    if (!o->object)
        return;
    o->generation++;
    for (i = 0; i < FACES; i++)
        face_drop(&o->faces[i]);
    care_forget(o);
    sms_lost(o);
    g_clear_object(&o->object);
}

static void modem_take(struct own *o)
{
    if (!o->object && o->manager)
        o->object = modem_find(o);
    if (o->object)
        faces_take(o);
    own_poke(o);
}

/* ---- the daemon ---- */

static void object_added(GDBusObjectManager *manager, GDBusObject *object, gpointer own)
{
    (void)manager;
    (void)object;
    modem_take(own);
}

static void object_removed(GDBusObjectManager *manager, GDBusObject *object, gpointer own)
{
    struct own *o = own;

    (void)manager;
    if (G_DBUS_OBJECT(o->object) == object)
        modem_drop(o);
    modem_take(o);
}

static void face_came_or_went(GDBusObjectManager *manager, GDBusObject *object, GDBusInterface *face, gpointer own)
{
    (void)face;
    object_added(manager, object, own);
}

static void owner_changed(GObject *manager, GParamSpec *what, gpointer own)
{
    struct own *o = own;

    (void)manager;
    (void)what;
    o->start_us = g_get_monotonic_time() + (gint64)START_AGAIN_S * G_USEC_PER_SEC / 3;
    own_poke(o);
}

/* Not the asynchronous way: GLib would do that in a thread of its pool, and what the
 * manager hears would then be told in that thread's context, which nobody runs. */
static bool manager_open(struct own *o)
{
    MMManager *manager = mm_manager_new_sync(o->bus, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START, o->cancel, NULL);

    if (!manager)
        return false;
    o->manager = manager;
    o->on_added = g_signal_connect(manager, "object-added", G_CALLBACK(object_added), o);
    o->on_removed = g_signal_connect(manager, "object-removed", G_CALLBACK(object_removed), o);
    o->on_face = g_signal_connect(manager, "interface-added", G_CALLBACK(face_came_or_went), o);
    o->on_owner = g_signal_connect(manager, "notify::name-owner", G_CALLBACK(owner_changed), o);
    modem_take(o);
    return true;
}

static void manager_drop(struct own *o)
{
    modem_drop(o);
    if (!o->manager)
        return;
    g_signal_handler_disconnect(o->manager, o->on_added);
    g_signal_handler_disconnect(o->manager, o->on_removed);
    g_signal_handler_disconnect(o->manager, o->on_face);
    g_signal_handler_disconnect(o->manager, o->on_owner);
    g_clear_object(&o->manager);
}

/* Nobody needs its answer: when the daemon comes, the manager says so. */
static void daemon_start(struct own *o)
{
    if (g_get_monotonic_time() < o->start_us)
        return;
    o->start_us = g_get_monotonic_time() + (gint64)START_AGAIN_S * G_USEC_PER_SEC;
    g_dbus_connection_call(o->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           "StartServiceByName", g_variant_new("(su)", "org.freedesktop.ModemManager1", 0U), NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, o->cancel, NULL, NULL);
}

/* ---- the bus ---- */

static void bus_drop(struct own *o)
{
    manager_drop(o);
    if (!o->bus)
        return;
    g_signal_handler_disconnect(o->bus, o->bus_closed);
    g_clear_object(&o->bus);
}

static void bus_again(struct own *o)
{
    o->retry_s = o->retry_s ? MIN(o->retry_s * 2, (unsigned)RETRY_MOST_S) : 1;
    source_end(&o->retry);
    o->retry = source_add(o, g_timeout_source_new_seconds(o->retry_s), bus_try);
}

static void bus_gone(GDBusConnection *bus, gboolean vanished, GError *error, gpointer own)
{
    struct own *o = own;

    (void)bus;
    (void)vanished;
    (void)error;
    bus_drop(o);
    bus_again(o);
    own_poke(o);
}

static void bus_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct own *o;
    bool current = call_end(data, &o, NULL);
    GDBusConnection *bus = g_dbus_connection_new_for_address_finish(result, NULL);

    (void)source;
    if (!current) {
        g_clear_object(&bus);
        return;
    }
    if (!bus) {
        bus_again(o);
        return;
    }
    o->bus = bus;
    o->bus_closed = g_signal_connect(bus, "closed", G_CALLBACK(bus_gone), o);
    if (manager_open(o)) {
        o->retry_s = 0;
        return;
    }
    bus_drop(o);
    bus_again(o);
}

static gboolean bus_try(gpointer own)
{
    struct own *o = own;
    char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, o->cancel, NULL);

    source_end(&o->retry);
    if (address)
        g_dbus_connection_new_for_address(address,
            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
            NULL, o->cancel, bus_ready, call_new(o, NULL, NULL));
    else
        bus_again(o);
    g_free(address);
    return G_SOURCE_REMOVE;
}

/* ---- the thread ---- */

static bool is_closing(struct mm *mm)
{
    bool closing;

    pthread_mutex_lock(&mm->lock);
    closing = mm->closing;
    pthread_mutex_unlock(&mm->lock);
    return closing;
}

/* The plugin has asked for something, has made room, or closes. */
static gboolean called(gint fd, GIOCondition condition, gpointer own)
{
    struct own *o = own;
    uint64_t many;

    (void)condition;
    if (read(fd, &many, sizeof many) < 0 && errno != EAGAIN)
        return G_SOURCE_REMOVE;
    if (is_closing(o->mm)) {
        o->closing = true;
        if (o->pending == 0)
            g_main_loop_quit(o->loop);
        return G_SOURCE_REMOVE;
    }
    o->list_due |= o->faces[FACE_MESSAGING].proxy != NULL && o->list_again;
    own_poke(o);
    return G_SOURCE_CONTINUE;
}

static gboolean look_often(gpointer own)
{
    struct own *o = own;

    if (o->manager && !o->object)
        daemon_start(o);
    own_poke(o);
    return G_SOURCE_CONTINUE;
}

/* The types of libmm-glib stay registered for as long as the process lives, so its
 * code must stay as well when the plugin is unloaded. The errors of the daemon are
 * told apart only after each kind was named once. */
static void library_keep(void)
{
    void *library = dlopen("libmm-glib.so.0", RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);

    if (library)
        dlclose(library);
    (void)mm_core_error_quark();
    (void)mm_mobile_equipment_error_quark();
    (void)mm_connection_error_quark();
    (void)mm_serial_error_quark();
    (void)mm_message_error_quark();
}

void mm_prepare(struct mm *mm)
{
    mm->own = (struct own){ .mm = mm, .cancel = g_cancellable_new() };
}

void mm_break(struct mm *mm)
{
    g_cancellable_cancel(mm->own.cancel);
}

void mm_done(struct mm *mm)
{
    g_clear_object(&mm->own.cancel);
}

static void own_begin(struct own *o, struct mm *mm)
{
    o->context = g_main_context_new();
    o->loop = g_main_loop_new(o->context, FALSE);
    sms_begin(o);
    o->requests = g_unix_fd_source_new(mm->down, G_IO_IN);
    /* The callback of such a source is of another type, by the book of GLib. */
    g_source_set_callback(o->requests, (GSourceFunc)(void (*)(void))called, o, NULL);
    g_source_attach(o->requests, o->context);
    o->tick = source_add(o, g_timeout_source_new_seconds(MAX(mm->config.poll_s, 1U)), look_often);
}

/* What GLib puts off to this context (ends of subscriptions) is done before it goes. */
static void own_end(struct own *o)
{
    GDBusConnection *bus = o->bus ? g_object_ref(o->bus) : NULL;

    bus_drop(o);
    source_end(&o->requests);
    source_end(&o->soon);
    source_end(&o->tick);
    source_end(&o->retry);
    if (bus)
        g_dbus_connection_close_sync(bus, NULL, NULL);
    g_clear_object(&bus);
    while (g_main_context_iteration(o->context, FALSE))
        continue;
    g_ptr_array_unref(o->incomplete);
    g_main_loop_unref(o->loop);
}

void *mm_thread(void *arg)
{
    struct mm *mm = arg;
    struct own *o = &mm->own;
    GMainContext *context;

    library_keep();
    own_begin(o, mm);
    context = o->context;
    g_main_context_push_thread_default(context);
    bus_try(o);
    g_main_loop_run(o->loop);
    own_end(o);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
    return NULL;
}
