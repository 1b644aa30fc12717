/* SPDX-License-Identifier: Apache-2.0
 *
 * afferent/record.h - what flows: records, their payloads `fields` and `samples`,
 * and schemas, which say what a payload means.
 *
 * Included by plugin.h. Not here: who owns a record and until when (plugin.h);
 * functions that read and write payloads (payload.h). */
#ifndef AFFERENT_RECORD_H
#define AFFERENT_RECORD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Payload types. A port says which it takes as a mask of AFF_MASK(type). */
enum { AFF_BYTES = 1, AFF_FIELDS = 2, AFF_SAMPLES = 3, AFF_IMAGE = 4 };
#define AFF_MASK(type) (1u << (type))

/* Privacy labels of a column, or of a bytes, samples or image port as a whole. */
enum { AFF_LABEL_NONE = 0, AFF_LABEL_QUASI = 1, AFF_LABEL_PHI = 2 };

/* What the event time of a record is worth. */
enum {
    AFF_CLOCK_NONE = 0,     /* no clock: counted from an arbitrary start */
    AFF_CLOCK_DEVICE = 1,   /* the device's own clock, not compared */
    AFF_CLOCK_RECORDED = 2, /* as written in a recording */
    AFF_CLOCK_SYNCED = 3    /* this node's clock while synchronised */
};

/* Identity of a record: equal ids mean the same record, sent again. The host
 * makes ids; a replayed record has the same id, event time and bytes. */
struct aff_id {
    uint64_t source, seq;
};

/* Flags of a record. */
enum {
    AFF_FLAG_PHI = 1,     /* carries identifying data (set by the host) */
    AFF_FLAG_GAP = 2,     /* data is missing before this record: reset filters */
    AFF_FLAG_SUSPECT = 4, /* the device or reader doubts the values */
    AFF_FLAG_RESENT = 8,  /* may have been delivered before (set by the host) */
    AFF_FLAG_END = 16     /* not data: the mark of a stream's end (host only) */
};

/* A record. The header is 64 bytes and is copied freely; the payload stays
 * where the node that made it put it, and is borrowed with the record.
 *
 * `subject` and `stream` are small dense integers of this run: good as array
 * indices, meaningless to keep. `event_ns` is the time of the data, UTC in ns
 * since 1970; `seen_ns` is this host's boot clock when the source made it. */
struct aff_record {
    struct aff_id id;
    int64_t event_ns;
    int64_t seen_ns;
    void *data; /* aligned to 16; write only on a port with AFF_PORT_EDITS */
#if UINTPTR_MAX == 0xffffffffu
    uint32_t data_high;
#endif
    uint32_t size;   /* bytes at data */
    uint32_t schema; /* host->schema_info tells it */
    uint32_t subject;
    uint32_t stream;
    uint16_t flags;
    uint8_t type;    /* AFF_BYTES ... AFF_IMAGE */
    uint8_t clock;   /* AFF_CLOCK_... */
    uint16_t origin; /* the host's: whose memory data lies in */
    uint16_t host_reserved;
};

/* Payload `samples`: this head, then one plane per channel, each of `count`
 * samples and each beginning at a multiple of 8 bytes. A sample that is missing
 * is INT16_MIN, INT32_MIN or NaN. Physical value = (sample - baseline) / gain,
 * both from the schema's column of that channel. */
struct aff_samples {
    int64_t first;     /* index of the first sample since the stream began */
    uint32_t count;    /* samples per channel */
    uint16_t channels; /* planes */
    uint8_t format;    /* AFF_I16, AFF_I32 or AFF_F32 */
    uint8_t reserved;
};
enum { AFF_I16 = 1, AFF_I32 = 2, AFF_F32 = 3 };

/* Payload `fields`, a row: presence bits in 64-bit words (column 0 is bit 0 of
 * the first), then one 8-byte cell per column, then the texts. A cell holds a
 * double (REAL), an int64 (INT, BOOL, TIME), or for TEXT the place of its bytes:
 * offset from the payload's beginning in the low 32 bits, length in the high.
 * Text is UTF-8 and not ended by a zero. Read and write rows by payload.h. */

enum {
    AFF_REAL = 1, /* double */
    AFF_INT = 2,  /* int64 */
    AFF_BOOL = 3, /* int64, 0 or 1 */
    AFF_TIME = 4, /* int64, UTC ns since 1970 */
    AFF_TEXT = 5
};

/* A column of `fields`, or a channel of `samples`. */
struct aff_column {
    const char *name;
    const char *unit; /* UCUM text ("mV", "/min"), NULL for none */
    const char *code; /* LOINC code, NULL for none */
    uint8_t type;     /* AFF_REAL ...; ignored for channels */
    uint8_t label;    /* AFF_LABEL_... */
    uint8_t required; /* in an input port's schema: must be there */
    uint8_t reserved[5];
    double gain;     /* channels: adc units per unit, never 0 */
    double baseline; /* channels: adc value of 0 units */
};

/* What a record's payload means. Its identity is its content: the same text
 * given twice is the same schema. `count` columns, `stride` bytes apart. */
struct aff_schema {
    uint32_t struct_size;
    uint8_t type;   /* AFF_BYTES ... */
    uint8_t format; /* samples: AFF_I16 ... */
    uint8_t label;  /* of bytes, samples and image as a whole */
    uint8_t reserved;
    const char *name; /* "beats", "ecg": for people */
    const struct aff_column *columns;
    uint32_t count, stride;
    uint64_t rate_num; /* samples: rate_num / rate_den per second */
    uint64_t rate_den;
};

#ifdef __cplusplus
}
#endif

#endif
