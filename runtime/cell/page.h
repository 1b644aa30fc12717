/* page.h - what lies in the memory that a host and its child share.
 *
 * Two memfds. The host's: a page of words, payloads of the slot in hand, answers to
 * the child's questions; only the host can write it. The child's: a page of words,
 * its questions, and an area in which everything that one call did stands in order,
 * as entries. A call is the child's transaction: it is posted by raising `bell`, and
 * nothing in the area means anything before that.
 *
 * The child trusts the host. The host trusts no word of the child's: it reads each
 * once, into memory of its own, and looks at it there.
 *
 * Not here: making and mapping (pages.c), what the host checks (check.c). */
#ifndef AFFERENT_CELL_PAGE_H
#define AFFERENT_CELL_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include <afferent/plugin.h>

enum {
    PAGE_BATCH = 64,
    PAGE_ANSWER = 256 * 1024,
    PAGE_ASK = 256 * 1024,
    PAGE_ACKS = 1024,       /* a power of two */
    PAGE_ALIGN = 16,
    PAGE_WHY = 256,
    PAGE_SLACK = 64 * 1024, /* of the area: kept for entries without payload */
    PAGE_FORGET = 4 * PAGE_BATCH,
    PAGE_WATCHES = 8, /* descriptors that a child waits for */
    PAGE_WORDS = 80, /* of an answer of its peer */
    PAGE_LINKS = 16,  /* ways out of the machine that it is told of between its questions */
    PAGE_LINK_WORDS = (sizeof(struct aff_link) + 7) / 8,
    PAGE_UPLINK_WORDS = (sizeof(struct aff_uplink) + 7) / 8,
    PAGE_UPLINKS = 9 /* links of a sink, and what is spent without one */
};

/* Where the child finds its descriptors. */
enum { CELL_FD_IMAGE = 3, CELL_FD_HOST, CELL_FD_CHILD, CELL_FD_STATE, CELL_FD_WAKES, CELL_FD_ABOVE };

#define CELL_VERB "--cell"
#define CELL_MARK "AFFERENT_CELL"

/* What the host asks the child to do. */
enum page_call {
    PAGE_CALL_OPEN = 1,
    PAGE_CALL_CLOSE,
    PAGE_CALL_START,
    PAGE_CALL_STOP,
    PAGE_CALL_READ,
    PAGE_CALL_BATCH, /* process or write */
    PAGE_CALL_SYNC,
    PAGE_CALL_COMMITTED,
    PAGE_CALL_WAKE,
    PAGE_CALL_STREAM_END,
    PAGE_CALL_DRAIN,
    PAGE_CALL_SNAPSHOT,
    PAGE_CALL_RESTORE,
    PAGE_CALL_TIMER,
    PAGE_CALL_FLUSH
};

/* What a raised bell means. */
enum page_post { PAGE_POST_READY = 1, PAGE_POST_ASK, PAGE_POST_DONE, PAGE_POST_CALL, PAGE_POST_ANSWER };

/* Questions of the child. */
enum page_ask {
    PAGE_ASK_FLUSH = 1,   /* takes the area as it stands, so that there is room again */
    PAGE_ASK_SUBJECT,     /* text */
    PAGE_ASK_STREAM,      /* a: subject, b: schema, text */
    PAGE_ASK_SCHEMA,      /* packed schema */
    PAGE_ASK_STREAM_INFO, /* a */
    PAGE_ASK_SUBJECT_NAME,
    PAGE_ASK_SCHEMA_INFO,
    PAGE_ASK_STATE_OPEN, /* a: bytes, b: per subject */
    PAGE_ASK_STATE,      /* a: stream or subject */
    PAGE_ASK_RANDOM,
    PAGE_ASK_NOW,
    PAGE_ASK_UTC,
    PAGE_ASK_LOG,  /* a: level, text */
    PAGE_ASK_HELD, /* a: index, b: offset into its payload */
    PAGE_ASK_BLOB, /* a: offset into what restore gets */
    PAGE_ASK_LINK  /* a: index */
};

/* Why something was not made (page_done.room_out). */
enum { ROOM_OUT = 1, ROOM_TOO_LARGE = 2 };

/* What one call did, in order. */
enum entry_kind {
    ENTRY_SKIP,   /* nothing: a draft that was not sent */
    ENTRY_EMIT,   /* a record; `set` says which members the plugin changed */
    ENTRY_EDIT,   /* the bytes of input `input`, edited */
    ENTRY_MARK,   /* stream_end: port, stream */
    ENTRY_HOLD,   /* input, a: its handle */
    ENTRY_RELEASE, /* a: handle, port: verdict */
    ENTRY_DEAD,   /* input, port: verdict, a: offset, bytes */
    ENTRY_INCARNATION, /* bytes */
    ENTRY_TIMER,  /* subject, event_ns */
    ENTRY_WAKE,   /* event_ns: boot time */
    ENTRY_CUT,
    ENTRY_COUNT,  /* port: metric, a: by */
    ENTRY_GAUGE,  /* port: metric, a: bits of the double */
    ENTRY_TOUCH,  /* a: number of a slot of state that was asked for */
    ENTRY_SNAP,   /* a: offset, b: whole size, bytes: a part of the snapshot */
    ENTRY_WATCH,  /* a: so many descriptors are waited for from now on */
    ENTRY_LINK,   /* bytes: struct aff_link */
    ENTRY_KINDS
};

enum {
    SET_EVENT = 1,
    SET_CLOCK = 2,
    SET_SCHEMA = 4,
    SET_SUBJECT = 8,
    SET_STREAM = 16,
    SET_FLAGS = 32,
    SET_ID = 64,
    SET_ALL = 127
};

/* 80 bytes, then `size` bytes of payload, then up to `span` the next entry. */
struct entry {
    uint32_t kind;
    uint32_t span; /* to the next entry, a multiple of PAGE_ALIGN */
    uint32_t size;
    uint32_t port;
    uint32_t input;
    uint32_t set;
    uint64_t a, b;
    int64_t event_ns;
    uint32_t schema, subject, stream;
    uint16_t flags;
    uint8_t clock;
    uint8_t reserved[13];
};
_Static_assert(sizeof(struct entry) == 80 && sizeof(struct entry) % PAGE_ALIGN == 0, "payloads are aligned");

/* What is in force, as the child found it before any code of the plugin ran. */
struct confined {
    uint32_t seccomp;      /* 1: the filter is installed */
    uint32_t landlock;     /* 1: in force */
    uint32_t folders;      /* that it may write below */
    uint32_t devices;      /* that it may speak to */
    uint32_t capabilities; /* 1: taken away */
    int32_t error;         /* errno of the first that failed */
};

/* The host's page. Sizes and places do not change after the child was started. */
struct host_page {
    _Atomic uint32_t bell;
    uint32_t post; /* PAGE_POST_CALL or PAGE_POST_ANSWER */
    _Atomic uint64_t acks_taken;

    /* for the whole life of the child */
    int32_t host_pid;
    uint32_t profile;
    uint32_t prints;  /* 1: its standard output is the host's */
    uint32_t lacks;   /* a test: the kernel is taken to lack these */
    uint32_t max_held;
    uint32_t max_payload;
    uint32_t clock_is_real;
    uint32_t has_image; /* else the plugin is linked into the program */
    uint64_t memory_bytes;
    uint64_t in_bytes;   /* payloads of a slot */
    uint64_t area_bytes; /* of the child's entries */
    uint64_t config_at, config_bytes, fixups_at; /* in the payload room, at open */
    uint32_t fixup_count;
    uint32_t folder_count;
    uint64_t folders_at; /* texts, one behind the other */
    uint64_t folders_bytes;
    uint32_t device_count; /* of these the last: devices */
    char plugin[32];
    char node[64];
    char pipeline[64];
    uint32_t window_records, window_epochs;

    /* a call */
    uint32_t call;
    uint32_t number; /* rises with each call */
    uint32_t port;
    uint32_t count; /* records; read: wanted */
    uint32_t subject;
    uint64_t epoch;     /* sync, committed: which */
    uint64_t epoch_now; /* of what the call emits */
    int64_t due_ns;
    uint32_t held_new;  /* 1: the child forgets what it holds, and fetches first */
    uint32_t held;      /* so many records, held before */
    uint64_t handle;    /* the next record held gets a higher one */
    uint32_t snapshots; /* 1: the snapshot is wanted behind the call, if it has at most */
    uint64_t snap_most; /* so many bytes */
    uint64_t blob_bytes;
    int64_t now_ns, now_at_ns; /* boot clock as the host sees it, and when that was */
    int64_t utc_ns;
    uint8_t utc_clock;
    uint32_t forget_count;
    uint32_t forget[PAGE_FORGET]; /* streams, or with the top bit subjects */
    struct aff_record records[PAGE_BATCH]; /* data: offset in the payload room */

    /* an answer */
    int64_t result;
    uint64_t more; /* second number */
    uint64_t answer_bytes;

    /* links, as they were lately: odd while they are written (links.c) */
    _Atomic uint32_t links_turn;
    _Atomic uint32_t link_count;
    _Atomic uint64_t links[PAGE_LINKS][PAGE_LINK_WORDS];
    _Atomic int32_t uplink_status; /* of host->uplink, and what it gave */
    _Atomic uint64_t uplink[PAGE_UPLINK_WORDS];
};
#define PAGE_FORGET_SUBJECT 0x80000000u

struct page_ack {
    struct aff_id id;
    int32_t status;
    uint32_t verdict;
    char words[PAGE_WORDS];
};

/* How a call ended. Copied by the host in one piece. */
struct page_done {
    uint32_t call; /* of the call that is answered, and its number */
    uint32_t number;
    int32_t status;
    uint32_t taken;
    uint32_t room_out; /* something was not made because the area was full */
    uint32_t reserved;
    uint64_t used; /* bytes of the area */
    char why[PAGE_WHY];
    uint8_t verdicts[PAGE_BATCH];
};

struct page_asked {
    uint32_t kind;
    uint32_t size; /* bytes of the question's text */
    uint64_t a, b;
    uint64_t used; /* flush: bytes of the area */
};

/* The child's page. */
struct child_page {
    _Atomic uint32_t bell;
    _Atomic uint32_t post;
    _Atomic uint32_t polls; /* 1: it waits for descriptors, and a bell alone does not wake it */
    struct confined confined;
    struct page_asked asked;
    struct page_done done;
    _Atomic uint64_t acks_put;
    _Atomic uint32_t acks_bell; /* a futex: raised with each ack */
    struct page_ack acks[PAGE_ACKS];
    _Atomic uint32_t spends; /* 1: it says what goes over the wire, in all: */
    _Atomic uint64_t sent[PAGE_UPLINKS], received[PAGE_UPLINKS];
    _Atomic uint32_t worked[PAGE_UPLINKS], failed[PAGE_UPLINKS]; /* attempts */
};

/* Flags of a record that the plugin sets itself. */
static inline unsigned page_flags(const struct aff_plugin *about)
{
    return AFF_FLAG_GAP | AFF_FLAG_SUSPECT | (about->flags & AFF_KEEPS_IDS ? AFF_FLAG_RESENT : 0u);
}

static inline uint64_t page_round(uint64_t bytes)
{
    return (bytes + PAGE_ALIGN - 1u) & ~(uint64_t)(PAGE_ALIGN - 1u);
}

/* Places: page, then what follows, each at a multiple of 4096. */
#define PAGE_UP(bytes) (((uint64_t)(bytes) + 4095u) & ~(uint64_t)4095u)
#define HOST_ANSWER_AT PAGE_UP(sizeof(struct host_page))
#define HOST_IN_AT (HOST_ANSWER_AT + PAGE_ANSWER)
#define CHILD_ASK_AT PAGE_UP(sizeof(struct child_page))
#define CHILD_AREA_AT (CHILD_ASK_AT + PAGE_ASK)

#endif
