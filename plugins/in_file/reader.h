/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - an instance of in_file, and what its parts share.
 *
 * once.c reads a list of files from end to end, one after another; follow.c reads
 * files that grow. Both hold a place in a file (struct progress), fill the one
 * window (text.c), and make records (make.c). Record ids: of a file read once
 * they are made of its content and counted; of a followed one each is made of
 * the file's identity, its first KiB, and where the record lies, since several
 * files grow in turns and no two runs see the same turns. */
#ifndef IN_FILE_READER_H
#define IN_FILE_READER_H

#include "cut.h"
#include "list.h"
#include "times.h"

#include <afferent/plugin.h>

#include <sys/stat.h>

struct time_config {
    int64_t field;
    const char *delimiter;
    int32_t format;
};

struct config {
    struct aff_list path;
    int32_t as;
    int32_t follow;
    const char *subject; /* NULL: of the file's name */
    const char *stream;
    int32_t pace;
    double speed;
    const struct time_config *time;
    const char *start; /* NULL: 1970 */
    int64_t every;
    int64_t max_line, block, max_size, max_files;
};

enum { AS_LINES, AS_BLOCKS, AS_WHOLE };
enum { PACE_FAST, PACE_REALTIME };
enum { VERDICT_LONG = 1 };
enum { METRIC_FILES, METRIC_RECORDS, METRIC_BYTES, METRIC_LONG, METRIC_UNTIMED, METRIC_CHANGED, METRIC_REFUSED,
       METRIC_ROTATIONS, METRIC_TRUNCATIONS, METRIC_OVERFLOWS };

enum {
    HASH_BYTES = 16,
    HEAD_BYTES = 1024,     /* of a followed file's identity */
    TAIL_BYTES = 64,       /* before its place, to see that it is still the same file */
    LOOKAHEAD_BYTES = 4096, /* where the first time of a file is looked for */
    WINDOW_BYTES = 256 * 1024,
    READ_BYTES = 8 << 20, /* in one read, so that the host can look around */
    SUBJECT_ROOM = 800
};

extern const struct aff_schema file_schema;

/* Where the reading of one file stands. */
struct progress {
    uint64_t offset;  /* of the first byte that is not dealt with */
    uint64_t count;   /* records so far */
    int64_t last_ns;  /* time of the last line */
    uint8_t has_time; /* there was one */
    uint8_t skipping; /* inside a line above max_line, or block */
    uint8_t gap;      /* bytes may be missing before the next record */
    uint8_t reserved[5];
};

struct file {
    struct progress p;
    int fd; /* -1: not open */
    uint32_t subject, stream; /* 0: not known to the host */
    uint64_t size;    /* bytes that are read now: no more are looked at */
    uint8_t suspect;  /* changed while it was read */
    uint64_t seen_size;
    int64_t seen_ns;  /* time of the file's last change */
    /* Of followed files. */
    uint8_t used, named, placed, gone, busy, final, retry, told, whole_done, restored, has_tail;
    uint16_t entry;
    uint16_t came_by; /* restored: entry_mark of the entry that it was found by */
    uint32_t path;    /* its place in the list, if it is not gone */
    uint32_t born;    /* later files have higher numbers */
    uint32_t generation; /* how often it was truncated */
    uint64_t dev, ino; /* identity: dev as it was first seen */
    uint64_t now_dev;
    int64_t moved_ns; /* boot time when a change was seen last */
    int64_t gone_ns;  /* when it was not at its place first */
    uint64_t tail;    /* hash of the bytes before offset */
    uint32_t head_size;
    uint8_t head[HASH_BYTES]; /* of the first head_size bytes */
};

/* Bytes of one file, in memory. */
struct window {
    uint8_t *room;
    size_t size;
    const struct file *owner;
    uint64_t at; /* offset of the first */
    size_t have;
};

struct once;
struct follow;

struct reader {
    const struct aff_host *host;
    const struct config *config;
    struct time_rule rule;
    int64_t start_ns;
    uint8_t cut_hash[8]; /* of the options by which records are cut */
    uint32_t schema;
    struct window window;
    uint64_t made, bytes; /* in this read */
    uint8_t anchored;     /* pace: when which event time was due */
    uint8_t slow_told;
    uint8_t large_told;
    int64_t anchor_event, anchor_boot;
    struct once *once;     /* one of these */
    struct follow *follow;
    char subject[SUBJECT_ROOM];
};

/* text.c: lines and blocks of the file, up to `size` bytes into it; `final`: no
 * more will come. At most `want` records. AFF_OK: there is more; AFF_END: not
 * now; AFF_AGAIN: later, for the pace's sake or until a first time is seen. */
aff_status text_read(struct reader *r, struct file *f, int final, uint64_t want);
/* A file as one record. AFF_AGAIN: it changes while it is read. */
aff_status whole_read(struct reader *r, struct file *f, const char *path);
/* pread until `size` bytes or the end: how many, or -errno. */
int64_t file_pread(int fd, void *to, size_t size, uint64_t offset);
/* Opens a regular file: 0 with *ret_fd, or an errno (ENOTSUP: not regular). */
int file_open(const char *path, int *ret_fd, struct stat *ret_stat);
int64_t file_changed_ns(const struct stat *st);
/* Since ->seen_size and ->seen_ns were noted. */
int file_has_changed(const struct file *f);
void file_close(struct reader *r, struct file *f);

/* make.c */
/* A record of `size` bytes at `at`; `have` bytes are there from `at` on, and none
 * follow if `last`. Moves nothing when it fails. */
struct piece {
    const uint8_t *at;
    struct cut cut;
    size_t have;
    int last;
};
/* AFF_ERR_DATA: no record can be that large. */
aff_status record_make(struct reader *r, struct file *f, const struct piece *piece);
/* A draft; NULL, and *ret_status is AFF_ERR_DATA where no record can be that large. */
struct aff_record *draft_reserve(const struct reader *r, size_t size, aff_status *ret_status);
/* Tells the host whose file it is. */
aff_status file_stream(struct reader *r, struct file *f, const char *path);
/* The incarnation of a file by its content. */
void content_name(struct reader *r, const uint8_t hash[HASH_BYTES], const char *path);
/* The path that gives a file its subject. */
const char *file_path(const struct reader *r, const struct file *f);
/* Explains: "file 3 of 17: ...". */
aff_status file_trouble(struct reader *r, const struct file *f, aff_status st, const char *what, int error);
int64_t record_step(const struct reader *r, uint64_t count);

/* head.c: what tells a followed file from another. */
int head_update(struct file *f, uint64_t reach);
int tail_hash(const struct file *f, uint64_t *ret);
/* 1: these are the bytes that were read before, 0: they are not, or -errno. */
int file_is_same(const struct file *f);
void followed_name(struct reader *r, const struct file *f, size_t size);

/* once.c, follow.c, position.c */
aff_status once_open(struct reader *r);
void once_close(struct reader *r);
aff_status once_read(struct reader *r, uint32_t want);
aff_status follow_open(struct reader *r);
void follow_close(struct reader *r);
aff_status follow_read(struct reader *r, uint32_t want);

aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self);
void reader_close(void *self);
aff_status reader_read(void *self, uint32_t want);
aff_status reader_snapshot(void *self, void *buffer, size_t room, size_t *ret_size);
aff_status reader_restore(void *self, const void *buffer, size_t size);

#endif
