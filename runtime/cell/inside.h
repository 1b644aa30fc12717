/* inside.h - a cell, as the files of the host's side share it.
 *
 * The order of a call: post (talk.c), serve questions while it lasts (ask.c), copy
 * what it did into `result`, look at all of it (check.c), do it at the real host
 * (book.c). Whatever goes wrong before that last step ends the child (policy.c).
 *
 * Not here: anything that others call (cell.h). */
#ifndef AFFERENT_CELL_INSIDE_H
#define AFFERENT_CELL_INSIDE_H

#include <pthread.h>
#include <sys/types.h>

#include "cell/cell.h"
#include "cell/page.h"
#include "util/text.h"

/* ---- pages.c ---- */

struct pages {
    int host_fd;  /* opened for reading: what the child gets */
    int child_fd;
    int state_fd; /* of no size until state_open */
    struct host_page *host;
    uint8_t *answer;
    uint8_t *in;
    const struct child_page *child; /* this and what follows: read-only here too */
    const uint8_t *ask;
    const uint8_t *area;
    uint64_t in_bytes, area_bytes;
};
/* 0, or an errno; then nothing is left behind. */
int pages_make(struct pages *pages, uint64_t in_bytes, uint64_t area_bytes);
void pages_free(struct pages *pages);

/* ---- child processes: spawn.c ---- */

struct child {
    pid_t pid; /* 0: none */
    int pidfd;
};
/* 0, or an errno. The child dies with this process, whichever thread asked. `wakes` is
 * its end of wakes.c. One that `prints` has the host's standard output (a sink's report),
 * others have none. */
int child_start(struct child *child, int image, const struct pages *pages, int wakes, bool prints);
/* Whether it has ended; then it is reaped and *ret_how says how, as by waitid. */
enum { CHILD_THREADS = 128, CHILD_OVERRUN = -1 };
struct child_end {
    int code; /* CLD_EXITED, CLD_KILLED ...; 0: not known; CHILD_OVERRUN: too many threads */
    int status;
};
bool child_ended(struct child *child, struct child_end *ret_end);
/* Kills it with its process group and reaps it; waits a second at most. */
void child_kill(struct child *child);
/* Threads that it has now; 0: not known. */
uint32_t child_threads(pid_t pid);

/* ---- config as bytes: pack.c ---- */

struct pack {
    uint8_t *bytes; /* the struct, then what it points to; pointers are offsets */
    size_t size, room;
    uint64_t *fixups; /* where pointers stand */
    uint32_t fixup_count, fixup_room;
    bool failed;
};
void pack_config(struct pack *pack, const struct plugin *plugin, const void *config);
void pack_free(struct pack *pack);

/* ---- where it leads to: paths.c ---- */

struct paths {
    struct text folders; /* texts one behind the other: below them it writes */
    struct text devices;
    uint32_t folder_count, device_count;
    uint32_t set;   /* options of paths that are no inputs */
    bool is_live;   /* a source that is read as data comes */
    bool is_device; /* that takes commands as well */
};
/* What is in memory that could not be had is left out, and `failed` of the text says so. */
void paths_list(struct paths *paths, const struct plugin *plugin, const void *config);
void paths_free(struct paths *paths);
/* enum profile. */
uint32_t paths_profile(const struct paths *paths, const struct aff_plugin *about);

/* Those that a child was given. */
struct devices {
    uint64_t given[64]; /* what tells each from any other; 0: it was absent */
    uint32_t count;
    int64_t looked_ns;
};

/* ---- schemas as bytes, both ways: schema_pack.c ---- */

/* Bytes written, 0: they do not fit. */
size_t schema_pack(const struct aff_schema *schema, void *to, size_t room);
/* Given: free() frees all of it. NULL: the bytes are no schema, or no memory. */
struct aff_schema *schema_unpack(const void *bytes, size_t size);

/* ---- the cell ---- */

enum { CELL_PORTS = 64 };

enum end_kind { END_DIED, END_HUNG, END_BROKE };

/* Ordered by handle. During a check those of the call stand there too. */
struct held {
    uint64_t handle;
    const struct aff_record *record; /* the real host's; NULL: not held there yet */
    bool leaves;                     /* released in this call */
};

/* Slots of state: shared with the child; the truth is the real host's. */
struct mirror {
    uint8_t *base;
    uint64_t bytes; /* from one slot to the next */
    uint64_t size;  /* of a slot, as asked for */
    uint32_t slots;
    bool per_subject;
    bool is_open;  /* the real host was asked once */
    uint8_t *filled; /* by slot: the child may look at it */
    uint64_t filled_count;
};

/* What the child was told of names, to be taken back when it changes. */
struct told {
    uint32_t *streams;  /* generation + 1; 0: nothing */
    uint64_t *subjects; /* hash of the name; 0: nothing */
    uint32_t stream_room, subject_room;
};

struct blob {
    uint8_t *bytes;
    size_t size, room;
};

/* What a sink took and has not made safe: unsynced.c. */
struct unsynced {
    struct blob bytes;
    uint64_t given; /* bytes that the child of now has had */
    uint64_t mark;  /* bytes that were there when sync was first called for `epoch` */
    uint64_t epoch;
    bool has_epoch;
};

/* How a child asks to be called: wakes.c. */
struct wakes {
    int fd;       /* -1: none */
    int child_fd; /* until the child has it */
    bool is_watched; /* the host waits for it */
    uint64_t count;  /* descriptors that the child waits for */
    int64_t at_ns;   /* that its plugin asked for last */
};

/* What the child's page says of links: links.c. */
struct links {
    pthread_mutex_t lock;
    struct aff_link said[PAGE_LINKS];
    uint32_t count;
    struct aff_uplink uplink; /* that a sink was told to use */
    aff_status uplink_status;
    uint64_t sent[PAGE_UPLINKS], received[PAGE_UPLINKS]; /* as the child said, and was handed on */
    uint32_t worked[PAGE_UPLINKS], failed[PAGE_UPLINKS];
};

struct policy {
    int64_t ends[5]; /* boot times of the newest, a ring */
    uint32_t end_count;
    int64_t wait_ns;    /* before the next start; 0: at once */
    int64_t start_ns;   /* not before */
    int64_t up_ns;      /* of the child that runs */
    bool parked;        /* until a child has lived for a minute */
    uint32_t singles;   /* records to be offered one a call */
    struct aff_id suspect;
    uint32_t suspect_ends;
    struct aff_id oldest;  /* held when children ended in calls without a batch */
    uint32_t oldest_ends;
    uint32_t ahead_call;  /* the latest that the host could not do to its end; 0: none */
    struct aff_id ahead;  /* and where that was, in a batch */
};

struct replies;

struct cell {
    uint32_t magic;
    struct aff_plugin about;
    uint32_t port_schemas[CELL_PORTS]; /* of outputs whose table has one */
    const struct plugin *plugin;
    const void *config;
    struct cell_options options;
    char node[64];
    uint32_t profile; /* enum profile */
    const struct aff_host *host;
    struct pages pages;
    struct child child;
    struct wakes wakes;
    struct links links;
    struct devices devices;
    struct confined confined;
    _Atomic bool is_confined; /* the above is known */
    bool opened;  /* the data path has it open */
    bool started;
    bool ran;     /* it was started once: what comes up later goes on */
    bool lost;    /* its open failed, as its child ended in it */
    uint32_t bell_seen;
    uint32_t number;
    uint32_t spins;
    int64_t looked_ns; /* when it was last looked at as a process */
    char why[PAGE_WHY]; /* cause of the latest end */
    struct blob result; /* what the call did: entries */
    struct blob parts;  /* the snapshot in it */
    bool parts_whole;
    struct page_done done;
    struct page_asked asked;
    uint8_t *question;
    struct blob snap; /* the latest */
    bool has_snap;
    bool is_exact;    /* nothing was done since */
    struct blob given; /* what restore is given */
    struct blob incarnation; /* the latest, and whether a child that was restored may */
    bool incarnation_again;  /* say it once more */
    bool incarnation_waits;  /* what open says of it is for restore to decide */
    bool incarnation_said;   /* and open has said one */
    uint8_t *gaps;    /* bit by stream: it was told of the gap */
    uint32_t gaps_room;
    bool has_gap;
    aff_status refused; /* what the real host said when it could not */
    uint32_t logs_left; /* lines that the child may still log in this call */
    struct mirror mirror;
    struct told told;
    struct held *held;
    uint32_t held_count, held_room;
    bool held_known; /* the table has what the host holds */
    bool held_given; /* and the child of now has copies of it */
    uint64_t handle_next;
    struct policy policy;
    struct unsynced unsynced;
    struct replies *replies; /* NULL: no AFF_ACKS */
    struct {
        _Atomic uint64_t calls, starts, ends, hangs, violations, dead_letters, bytes_isolated;
        _Atomic int32_t pid;
        _Atomic bool is_parked;
    } figures;
};

#define HOST_HAS(host, member)                                                                            \
    ((host)->struct_size >= offsetof(struct aff_host, member) + sizeof((host)->member) && (host)->member)

bool blob_fit(struct blob *blob, size_t room);
bool blob_set(struct blob *blob, const void *bytes, size_t size);
void blob_free(struct blob *blob);

/* Room for a batch of payloads; for what is made of one, beside the edited copies. */
uint64_t cell_in_bytes(uint64_t max_payload);
uint64_t cell_area_bytes(uint64_t in_bytes, uint64_t max_payload);

__attribute__((format(printf, 3, 4)))
void cell_log(const struct cell *cell, int level, const char *format, ...);

/* ---- talk.c ---- */

/* A slot: what a call works on. */
struct slot {
    uint32_t call; /* enum page_call */
    uint32_t port;
    uint32_t count;                   /* records; read: wanted */
    const struct aff_record *records; /* batch, or the one mark of stream_end */
    const struct aff_record *due;     /* timer */
    uint64_t epoch;
    uint8_t *verdicts; /* batch: where they go */
    uint32_t base;     /* batch: index of the first in the batch of the data path */
    int64_t limit_ns;
    uint32_t taken;
    aff_status status;
};

/* Waits for READY of a child that was just started. False: it has ended. */
bool talk_ready(struct cell *cell);
/* One call from its posting to its result in cell->result and cell->done. False: the
 * child has ended, and cell->why says how. Records must fit (talk_fit). */
bool talk_call(struct cell *cell, struct slot *slot);
/* How many of the records fit into the child's room at once; 0: not even one. */
uint32_t talk_fit(const struct cell *cell, const struct aff_record *records, uint32_t count);
/* Monotonic: what deadlines count by; and the boot clock. */
int64_t talk_now(void);
int64_t talk_boot(void);

/* ---- ask.c ---- */

/* Serves the question in cell->asked. False: it breaks the rules; *ret_why says how. */
bool ask_serve(struct cell *cell, const char **ret_why);
/* Takes `used` bytes of the child's area over. False: there is no memory, or more
 * than a slot may be. */
bool ask_flush(struct cell *cell, uint64_t used);
/* What the child may have been told, and is no longer so. */
void told_check(struct cell *cell, const struct slot *slot);
void told_clear(struct told *told);

/* ---- mirror.c ---- */

/* The records that the slot has, for what is kept by stream and subject. */
uint32_t slot_records(const struct slot *slot, const struct aff_record **ret_records);
/* Answers state_open. False: the child broke a rule. */
bool mirror_serve(struct cell *cell, const char **ret_why);
/* Brings one slot in; false: there is none of that number. */
bool mirror_slot(struct cell *cell, uint64_t number);
/* Brings the slots of the records in hand into the mirror; takes them back. */
void mirror_fill(struct cell *cell, const struct slot *slot);
void mirror_take(struct cell *cell, const struct slot *slot);
void mirror_close(struct mirror *mirror);

/* ---- check.c ---- */

/* Looks at all that the call says it did. NULL: fine; else what is wrong. */
const char *check_result(struct cell *cell, struct slot *slot);
/* What a record that is emitted will be, without id and payload. */
void entry_record(const struct cell *cell, const struct slot *slot, const struct entry *entry,
                  struct aff_record *ret_record);
static inline const struct entry *entry_next(const struct entry *entry)
{
    return (const struct entry *)(const void *)((const uint8_t *)entry + entry->span);
}

/* ---- held.c ---- */

struct held *held_find(struct cell *cell, uint64_t handle);
/* Those that the real host has; once. False: no memory. */
bool held_load(struct cell *cell);
/* NULL: it holds nothing. The host does not hold it any more: it leaves the table. */
const struct aff_record *held_oldest(const struct cell *cell);
void held_drop_oldest(struct cell *cell);
/* The host holds others now: they are looked at and given anew. */
void held_forget(struct cell *cell);
bool held_add(struct cell *cell, uint64_t handle);
/* Ends a booking: what was released leaves. Ends a check: all is as before. */
void held_keep(struct cell *cell);
void held_undo(struct cell *cell);

/* ---- book.c ---- */

/* Does it. False: the real host could not (the run is being ended, or there is no
 * memory; cell->refused): *ret_taken records are done, and the child is ahead of them. */
bool book_result(struct cell *cell, struct slot *slot, uint32_t *ret_taken);
/* Of a call whose records were booked once: what it waits for, and its link. */
void book_again(struct cell *cell);

/* ---- policy.c ---- */

/* The child did something that ends it: it is killed, reaped, counted, told. */
__attribute__((format(printf, 3, 4)))
void cell_end(struct cell *cell, enum end_kind kind, const char *format, ...);
/* How many have ended so. */
uint64_t policy_ends(const struct cell *cell);
/* There is a child now, or AFF_ERR_IO with its cause explained. */
aff_status cell_up(struct cell *cell);
/* The first start: errors are those of the plugin's open. */
aff_status cell_first(struct cell *cell);
/* Ends the child without counting it. */
void cell_down(struct cell *cell);
void policy_good(struct cell *cell);
/* The record in a call of its own ended the child. True: for the third time. */
bool policy_suspect(struct cell *cell, struct aff_id id);
void policy_letter(struct cell *cell);
/* A call without a batch ended the child. What it holds may have been why, the oldest first. */
void policy_held(struct cell *cell, const struct slot *slot);
/* The child is ahead of what the host could do, and ends. Where that comes again at the
 * same place, the next one is started as late as after any other end. */
void policy_ahead(struct cell *cell, const struct slot *slot);
/* A call was done to its end. */
void policy_done(struct cell *cell, const struct slot *slot);

/* ---- slot.c ---- */

enum ran {
    RAN_DONE,  /* slot->status and slot->taken say what it did, and it is done */
    RAN_ENDED, /* the child is gone, and nothing is done */
    RAN_AHEAD  /* the real host could not: slot->taken records are done; the child,
                * which was ahead of that, is gone too */
};
/* One call from beginning to end; there is a child. */
enum ran slot_run(struct cell *cell, struct slot *slot);
/* A call that is no batch; starts a child where there is none. */
aff_status slot_call(struct cell *cell, struct slot *slot);
/* A batch, in as many slots as it takes. */
aff_status slot_batch(struct cell *cell, const struct aff_batch *batch, uint32_t *ret_taken);

/* ---- replies.c ---- */

struct replies *replies_open(struct cell *cell);
void replies_close(struct replies **replies);
/* While a call of write is on nothing is handed on. */
void replies_hold(struct replies *replies);
/* These were taken; what waits is handed on. */
void replies_taken(struct replies *replies, const struct aff_record *records, const uint8_t *verdicts, uint32_t count);
/* The pages change: nobody may look at them meanwhile. */
void replies_pages(struct replies *replies, const struct child_page *page);
/* The child is gone: what is unanswered is offered again. */
void replies_lost(struct replies *replies);

/* ---- unsynced.c ---- */

bool unsynced_is_kept(const struct cell *cell);
/* Before a slot: is there memory; has it become much; where does the epoch end. */
bool unsynced_room(struct cell *cell, const struct slot *slot);
bool unsynced_is_full(const struct cell *cell);
void unsynced_before(struct cell *cell, const struct slot *slot);
/* Behind it. */
void unsynced_note(struct cell *cell, const struct slot *slot);
/* A new child has had nothing of it yet; gives it what it has not had. */
void unsynced_again(struct cell *cell);
aff_status unsynced_give(struct cell *cell);
void unsynced_free(struct cell *cell);

/* ---- paths.c ---- */

/* A new child was given these. */
void devices_note(struct cell *cell, const struct paths *paths);
/* Ends the child, uncounted, where a device is there that it may not open: the next one may. */
void devices_look(struct cell *cell);

/* ---- wakes.c ---- */

/* For a new child; 0 or an errno. */
int wakes_make(struct wakes *wakes);
/* The child has its end, or was not started. */
void wakes_given(struct wakes *wakes);
/* Behind a bell: a child that polls is woken. */
void wakes_post(const struct cell *cell);
/* What was asked for is done by the call that follows. */
void wakes_take(struct cell *cell);
/* For a child that is up: the host listens to it, where there is something to call. */
void wakes_listen(struct cell *cell);
/* ENTRY_WAKE. */
void wakes_at(struct cell *cell, int64_t boot_ns);
/* A source has nothing now, and may not have said when it is to be asked again. */
void wakes_again(struct cell *cell);
/* ENTRY_WATCH: what is wrong with it; doing it. */
const char *wakes_check(const struct entry *entry);
bool wakes_book(struct cell *cell, const struct entry *entry);
/* The child is gone. */
void wakes_end(struct cell *cell);

/* ---- links.c ---- */

/* ENTRY_LINK: what is wrong with it; doing it. */
const char *links_check(const struct slot *slot, const struct entry *entry);
bool links_book(struct cell *cell, const struct entry *entry);
/* The child's question for one. */
void links_serve(struct cell *cell);
/* [any] Writes them into the page where they changed; there is a page. */
void links_put(struct cell *cell);
/* A new page has none. */
void links_forget(struct cell *cell);

/* ---- proxy.c ---- */

void proxy_fill(struct aff_plugin *about, const struct plugin *plugin);

#endif
