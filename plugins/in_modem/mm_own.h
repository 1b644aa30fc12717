/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_own.h - the inside of mm.h: what both threads share under one lock, and what
 * the thread of libmm-glib has for itself.
 *
 * mm.c has the queues and knows no GLib but by name; mm_bus.c finds the daemon and
 * the modem; mm_care.c brings the modem up; mm_values.c reads its properties;
 * mm_sms.c has messages, mm_jobs.c the other requests. */
#ifndef IN_MODEM_MM_OWN_H
#define IN_MODEM_MM_OWN_H

#include <libmm-glib.h>

#include <pthread.h>

#include "mm.h"

enum { MM_PATH_ROOM = 128, MM_SLOTS = MM_EVENTS_MOST + MM_ASKED_MOST + 1, MM_SENT_MOST = 64 };

enum job_state { JOB_FREE, JOB_ASKED, JOB_RUNNING, JOB_ANSWERED };

/* A request, from mm_ask until its reply was read. Its strings are its own. */
struct job {
    enum job_state state;
    uint64_t order;
    struct mm_request request;
    char text[MM_TEXT_MOST + 1];
    char number[64], apn[104], user[104], password[104];
};

/* An event that waits; `memory` is what its text or data lies in. */
struct slot {
    struct mm_event event;
    char *memory;
    struct job *job;
};

/* A message that was told. `path` is empty while the daemon or modem is away: it is
 * known again by its digest. */
struct told {
    uint64_t key, digest;
    char path[MM_PATH_ROOM];
    bool used, forget, deleting;
};

enum face { FACE_MODEM, FACE_3GPP, FACE_SIGNAL, FACE_MESSAGING, FACE_TIME, FACE_USSD, FACE_LOCATION, FACES };

/* An interface of the modem, and the handlers of its signals. */
struct bound {
    GDBusProxy *proxy;
    gulong changed, more;
};

/* A message sent whose report may come. */
struct report_due {
    uint64_t id;
    int reference;
    bool used;
};

/* The thread's own: no other touches it. */
struct own {
    struct mm *mm;
    GMainContext *context;
    GMainLoop *loop;
    GCancellable *cancel;
    GSource *requests, *soon, *tick, *retry;
    unsigned pending; /* calls that will still come back */
    bool closing;
    /* mm_bus.c */
    GDBusConnection *bus;
    gulong bus_closed;
    MMManager *manager;
    gulong on_added, on_removed, on_face, on_owner;
    unsigned retry_s;
    gint64 start_us; /* when the daemon may be asked for again */
    /* of the modem that is there */
    MMObject *object;
    unsigned generation; /* rises when it goes: what was asked of it is stale */
    struct bound faces[FACES];
    MMSim *sim;
    MMBearer *bearer;
    gulong bearer_changed;
    char **bearer_paths; /* as they were listed last */
    bool sim_asked, enabling, pin_trying, signal_set, place_set, bearers_asked;
    char pin_sim[24]; /* the SIM whose PIN was tried; "?" for one without a number */
    gint64 enable_us, bearers_us; /* not before */
    char place_time[24];
    /* mm_sms.c */
    bool list_due, listing, listed, list_again, deleting;
    gint64 list_us;  /* not before */
    gint64 parts_us; /* since when parts are missing */
    gint64 again_us; /* not before */
    GPtrArray *incomplete; /* MMSms */
    uint64_t keys;
    struct report_due due[MM_SENT_MOST];
    unsigned due_at;
    /* mm_jobs.c */
    unsigned ussd_jobs; /* at work */
    char ussd_text[1200];
};

struct mm {
    struct mm_config config;
    pthread_t thread;
    pthread_mutex_t lock;
    int up, down; /* eventfds: to the plugin, to the thread */
    struct own own;
    /* under the lock */
    bool closing;
    struct mm_state state;
    bool state_new, starved;
    struct job jobs[MM_ASKED_MOST];
    uint64_t orders;
    struct slot slots[MM_SLOTS];
    unsigned first, count;
    bool lent;
    struct mm_event changed;
    struct told told[MM_TOLD_MOST];
};

/* ---- mm.c, for the thread ---- */

/* Puts an event behind the others; the text or data is copied. False: no room or
 * no memory, and the state says that someone waits (own is woken when there is). A
 * reply always finds its room. */
bool mm_tell(struct mm *mm, const struct mm_event *event, struct job *job);
/* The state as it is now; says so when it changed. */
void mm_publish(struct mm *mm, const struct mm_state *state);
/* The oldest request that nobody works on; NULL. */
struct job *mm_take_job(struct mm *mm);

/* ---- mm_bus.c ---- */

/* By the plugin's thread: before the thread begins; to break off what it waits for;
 * after it has ended. */
void mm_prepare(struct mm *mm);
void mm_break(struct mm *mm);
void mm_done(struct mm *mm);
void *mm_thread(void *mm);
/* Looks at everything again, soon: many changes at once are one look. */
void own_poke(struct own *o);

/* A call to the daemon, and who asked. */
struct call {
    struct own *own;
    unsigned generation;
    struct job *job;
    GObject *thing; /* kept till then; NULL */
    uint64_t key;   /* of a message; 0 */
};
struct call *call_new(struct own *o, struct job *job, gpointer thing);
/* Ends it; true while the modem it was for is still there. *ret_job may be NULL. */
bool call_end(struct call *call, struct own **ret_own, struct job **ret_job);

/* Asks for a property of type u: a change is told by a signal, which may come behind
 * the reply that it belongs to. */
void property_get(struct own *o, struct job *job, GObject *proxy, const char *face, const char *name,
                  GAsyncReadyCallback ready);
/* Its value; UINT32_MAX: there is none. */
guint32 property_read(GObject *proxy, GAsyncResult *result);

/* ---- mm_care.c ---- */

/* Brings the modem up, step by step; called whenever something changed. */
void care_look(struct own *o);
void care_forget(struct own *o);

/* ---- mm_values.c ---- */

void values_read(const struct own *o, struct mm_state *ret);
/* Fault, result, code and words of an error. */
void fault_read(const GError *error, struct mm_event *ret);
/* "2026-11-21T17:40:00+01:00"; false: it is none. */
bool time_read(const char *text, struct sms_time *ret);
void text_copy(char *to, size_t room, const char *from);

/* ---- mm_sms.c ---- */

void sms_begin(struct own *o);
void sms_look(struct own *o);
/* The modem is disabled: what it has is listed anew when it is enabled. */
void sms_paused(struct own *o);
void sms_lost(struct own *o);
void sms_send(struct own *o, struct job *job);
void sms_arrived(struct own *o);

/* ---- mm_jobs.c ---- */

void jobs_look(struct own *o);
/* Its reply, filled in by the caller but for id, verb and kind. */
void job_reply(struct own *o, struct job *job, const struct mm_event *event);
/* Its reply: fine where `error` is NULL. `text` may be NULL. */
void job_end(struct own *o, struct job *job, const GError *error, const char *text);
void job_fault(struct own *o, struct job *job, enum mm_fault fault, const char *words);
void clock_told(struct own *o, const char *text);

#endif
