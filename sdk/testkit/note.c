/* SPDX-License-Identifier: Apache-2.0
 *
 * note.c - whether a plugin's file carries the note that AFF_PLUGIN_NOTE writes.
 *
 * A host lists plugins by this note without running their code, and refuses a
 * file without one; here it must be there and say what the constant says. The
 * file is one that the test just loaded, so its layout is trusted.
 *
 * Not here: defence against hostile files, which is a host's affair. */
#include "kit.h"

#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct aff_note *note_in(const unsigned char *file)
{
    const ElfW(Ehdr) *head = (const void *)file;
    const ElfW(Shdr) *sections = (const void *)(file + head->e_shoff);
    const char *names = (const char *)file + sections[head->e_shstrndx].sh_offset;
    ElfW(Half) i;

    for (i = 0; i < head->e_shnum; i++)
        if (strcmp(names + sections[i].sh_name, ".note.afferent") == 0 &&
            sections[i].sh_size >= sizeof(struct aff_note))
            return (const void *)(file + sections[i].sh_offset);
    return NULL;
}

static void note_compare(const struct aff_note *note, const struct aff_plugin *plugin)
{
    if (!note)
        kit_breach(NULL, "%s.so: it has no note; expected the line AFF_PLUGIN_NOTE(kind, name, version)",
                   plugin->name);
    if (note->kind != plugin->kind || note->major != plugin->major ||
        strncmp(note->name, plugin->name, sizeof note->name) != 0 ||
        strncmp(note->version, plugin->version, sizeof note->version) != 0)
        kit_breach(NULL, "%s.so: its note says another kind, name or version than its constant", plugin->name);
}

void note_check(const char *path, const struct aff_plugin *plugin)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *file;

    if (fd < 0 || fstat(fd, &info) != 0)
        kit_misuse("cannot read %s", path);
    file = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (file == MAP_FAILED)
        kit_misuse("cannot read %s", path);
    note_compare(note_in(file), plugin);
    (void)munmap(file, (size_t)info.st_size);
}
