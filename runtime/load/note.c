/* note.c - the identity that a plugin carries in an ELF note.
 *
 * After "Tool Interface Standard: Executable and Linking Format", version 1.2,
 * book I, chapter 2 (program header, note section); 64-bit forms after the
 * System V ABI, chapter 5.
 *
 * Not here: what the constant says (copy.c), whether the file loads (probe.c). */
#include "load/note.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include <afferent/plugin.h>

#define SEGMENTS_MAX 256            /* linkers make about ten */
#define NOTES_BYTES ((uint64_t)65536) /* of one PT_NOTE segment */

#if UINTPTR_MAX == 0xffffffffu
#define OUR_CLASS ELFCLASS32
#define OUR_BITS 32
#else
#define OUR_CLASS ELFCLASS64
#define OUR_BITS 64
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_ORDER ELFDATA2LSB
#else
#define OUR_ORDER ELFDATA2MSB
#endif

/* EM_NONE where this machine is not in the list: then only dlopen judges. */
#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__arm__)
#define OUR_MACHINE EM_ARM
#elif defined(__i386__)
#define OUR_MACHINE EM_386
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#else
#define OUR_MACHINE EM_NONE
#endif

static const struct {
    uint16_t number;
    const char *name;
} machines[] = {
    { EM_X86_64, "x86-64" }, { EM_AARCH64, "ARM64" }, { EM_ARM, "ARM" },
    { EM_386, "x86" },       { EM_RISCV, "RISC-V" },  { EM_PPC64, "POWER" },
};

static const char *machine_name(uint16_t number)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        if (machines[i].number == number)
            return machines[i].name;
    }
    return "another machine";
}

bool name_is_good(const char *name)
{
    size_t length = strlen(name);

    if (length < 1 || length > 31 || name[0] < 'a' || name[0] > 'z')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/* Length of the UTF-8 sequence at `s`, 0 when it is none (RFC 3629, section 4:
 * no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_length(const unsigned char *s)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t length;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] == 0xe0)
        low = 0xa0;
    if (s[0] == 0xed)
        high = 0x9f;
    if (s[0] == 0xf0)
        low = 0x90;
    if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

bool text_is_printable(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;

    while (*s) {
        size_t length = utf8_length(s);

        if (!length || *s < 0x20 || *s == 0x7f)
            return false;
        if (length == 2 && s[0] == 0xc2 && s[1] < 0xa0) /* C1 controls */
            return false;
        s += length;
    }
    return true;
}

const char *kind_name(uint32_t kind)
{
    switch (kind) {
    case AFF_SOURCE: return "source";
    case AFF_PROCESSOR: return "processor";
    case AFF_SINK: return "sink";
    default: return "unknown";
    }
}

static bool read_at(int fd, void *to, size_t size_bytes, uint64_t offset)
{
    size_t done = 0;

    while (done < size_bytes) {
        ssize_t part = pread(fd, (char *)to + done, size_bytes - done, (off_t)(offset + done));

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return false;
        done += (size_t)part;
    }
    return true;
}

/* Whether [offset, offset + length) lies inside `size`. */
static bool is_inside(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

static bool refuse(struct text *why, const char *reason)
{
    text_add(why, reason);
    return false;
}

static bool header_check(const ElfW(Ehdr) *header, uint64_t size_bytes, struct text *why)
{
    if (header->e_ident[EI_CLASS] != OUR_CLASS || header->e_ident[EI_DATA] != OUR_ORDER) {
        text_print(why, "is a %s-bit %s-endian file; this host loads %d-bit ones of its own byte "
                   "order; build the plugin for this machine",
                   header->e_ident[EI_CLASS] == ELFCLASS32 ? "32" : "64",
                   header->e_ident[EI_DATA] == ELFDATA2MSB ? "big" : "little", OUR_BITS);
        return false;
    }
    if (OUR_MACHINE != EM_NONE && header->e_machine != OUR_MACHINE) {
        text_print(why, "is built for %s (ELF machine %u); this host is %s; build the plugin "
                   "for this machine", machine_name(header->e_machine),
                   (unsigned)header->e_machine, machine_name(OUR_MACHINE));
        return false;
    }
    if (header->e_type != ET_DYN)
        return refuse(why, "is an ELF file but no shared object; plugins are linked with "
                           "-shared; link it so");
    if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum == 0 ||
        header->e_phnum > SEGMENTS_MAX ||
        !is_inside(header->e_phoff, (uint64_t)header->e_phnum * sizeof(ElfW(Phdr)), size_bytes))
        return refuse(why, "has program headers that are damaged or cut off; a whole shared "
                           "object was expected; copy or build it again");
    return true;
}

/* Takes the identity from a note of ours. */
static bool identity_take(const unsigned char *desc, struct note *note, struct text *why)
{
    memcpy(&note->major, desc, 2);
    memcpy(&note->minor, desc + 2, 2);
    memcpy(&note->kind, desc + 4, 4);
    memcpy(note->name, desc + 8, sizeof note->name);
    memcpy(note->version, desc + 40, sizeof note->version);
    if (!memchr(note->name, '\0', sizeof note->name) || !name_is_good(note->name)) {
        note->name[0] = '\0';
        note->version[0] = '\0';
        return refuse(why, "has a note without a good name; names are [a-z][a-z0-9_]*, up to 31 "
                           "letters; correct AFF_PLUGIN_NOTE and build it again");
    }
    if (!memchr(note->version, '\0', sizeof note->version) || !note->version[0] ||
        !text_is_printable(note->version)) {
        note->version[0] = '\0';
        return refuse(why, "has a note without a readable version; up to 23 letters are "
                           "expected; correct AFF_PLUGIN_NOTE and build it again");
    }
    if (note->major != AFF_ABI_MAJOR) {
        text_print(why, "is built for plugin ABI %u.%u; this host supports %d.0 to %d.%d; %s",
                   (unsigned)note->major, (unsigned)note->minor, AFF_ABI_MAJOR, AFF_ABI_MAJOR,
                   AFF_ABI_MINOR, note->major > AFF_ABI_MAJOR ?
                   "install a newer Afferent, or a plugin built for this one" :
                   "build the plugin again with this host's SDK");
        return false;
    }
    if (note->kind < AFF_SOURCE || note->kind > AFF_SINK) {
        text_print(why, "has kind %u in its note; 1 (source), 2 (processor) and 3 (sink) are "
                   "known; correct AFF_PLUGIN_NOTE and build it again", (unsigned)note->kind);
        return false;
    }
    return true;
}

/* Where the next item begins: notes are padded to 4 bytes, or 8 in a segment
 * with that alignment. */
static uint64_t padded(uint64_t size, uint64_t align)
{
    return (size + align - 1) / align * align;
}

/* Walks the notes of one segment; NULL when ours is not there. */
static const unsigned char *segment_search(const unsigned char *bytes, uint64_t size, uint64_t align)
{
    uint64_t at = 0;

    while (is_inside(at, 12, size)) {
        uint32_t head[3]; /* name size, description size, type */
        uint64_t desc;

        memcpy(head, bytes + at, sizeof head);
        desc = padded(at + 12 + head[0], align);
        if (!is_inside(desc, head[1], size))
            return NULL;
        if (head[0] == 9 && head[2] == 1 && !memcmp(bytes + at + 12, "Afferent", 9) &&
            head[1] >= sizeof(struct aff_note) - 24)
            return bytes + desc;
        at = padded(desc + head[1], align);
    }
    return NULL;
}

struct search {
    struct note *note;
    bool is_found;
};

/* Looks at one segment: our note is taken from it, and code or data that reach
 * beyond the file's end would be a SIGBUS later. False: refused. */
static bool segment_look(int fd, uint64_t size_bytes, const ElfW(Phdr) *segment, struct search *search,
                         struct text *why)
{
    unsigned char notes[NOTES_BYTES];
    bool is_whole = is_inside(segment->p_offset, segment->p_filesz, size_bytes);
    const unsigned char *desc;

    if (segment->p_type == PT_LOAD && !is_whole)
        return refuse(why, "is cut off: a part that its header announces is not there; a whole "
                           "shared object was expected; copy it again");
    if (segment->p_type != PT_NOTE || search->is_found || !is_whole || segment->p_filesz > sizeof notes)
        return true;
    if (!read_at(fd, notes, (size_t)segment->p_filesz, segment->p_offset))
        return refuse(why, "could not be read to its end; copy it again");
    desc = segment_search(notes, segment->p_filesz, segment->p_align == 8 ? 8 : 4);
    if (!desc)
        return true;
    search->is_found = true;
    return identity_take(desc, search->note, why);
}

bool note_read(int fd, uint64_t size_bytes, struct note *ret_note, struct text *why)
{
    struct search search = { .note = ret_note };
    ElfW(Ehdr) header;

    memset(ret_note, 0, sizeof *ret_note);
    if (size_bytes == 0)
        return refuse(why, "is an empty file; a shared object was expected; copy it again");
    if (size_bytes < sizeof header || !read_at(fd, &header, sizeof header, 0) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG))
        return refuse(why, "is not an ELF file; a shared object was expected; build the plugin, "
                           "or take the file out of this folder");
    if (!header_check(&header, size_bytes, why))
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;

        if (!read_at(fd, &segment, sizeof segment, header.e_phoff + i * sizeof segment))
            return refuse(why, "could not be read to its end; copy it again");
        if (!segment_look(fd, size_bytes, &segment, &search, why))
            return false;
    }
    return search.is_found ||
           refuse(why, "is a shared object without Afferent's note; plugins carry one; if it is "
                       "a plugin, add AFF_PLUGIN_NOTE, else take it out of this folder");
}
