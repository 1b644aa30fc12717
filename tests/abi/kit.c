/* kit.c - a folder of plugins made for one test: built, damaged, found.
 *
 * Not here: what is expected of them (test_load.c, test_damage.c). */
#include "kit.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int kit_setup(void **state)
{
    struct kit *kit = calloc(1, sizeof *kit);

    if (!kit)
        return -1;
    unsetenv("AFFERENT_PLUGIN_PATH");
    snprintf(kit->folder, sizeof kit->folder, "/tmp/afferent-load-XXXXXX");
    if (!mkdtemp(kit->folder)) {
        free(kit);
        return -1;
    }
    *state = kit;
    return 0;
}

const char *kit_path(const struct kit *kit, const char *file)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", kit->folder, file);
    return path;
}

int kit_teardown(void **state)
{
    struct kit *kit = *state;
    DIR *dir = opendir(kit->folder);
    struct dirent *item;

    plugins_close(&kit->plugins);
    while (dir && (item = readdir(dir))) {
        if (strcmp(item->d_name, ".") && strcmp(item->d_name, ".."))
            remove(kit_path(kit, item->d_name));
    }
    if (dir)
        closedir(dir);
    rmdir(kit->folder);
    free(kit);
    return 0;
}

void kit_build(struct kit *kit, const char *file, const char *flags)
{
    const char *compiler = getenv("CC"), *root = getenv("AFFERENT_SRCDIR");
    char command[2048], log[1024] = "";
    FILE *out;
    int length;

    if (!compiler || !*compiler)
        compiler = "cc";
    if (!root)
        root = "..";
    snprintf(command, sizeof command, "command -v %s >/dev/null", compiler);
    if (system(command) != 0) {
        printf("SKIP test_load: there is no C compiler (%s)\n", compiler);
        skip();
    }
    length = snprintf(command, sizeof command,
                      "%s -std=gnu11 -fPIC -shared -fvisibility=hidden -I'%s/sdk/include' %s -o '%s' "
                      "'%s/tests/abi/fixture.c' 2>&1", compiler, root, flags, kit_path(kit, file), root);
    assert_true(length > 0 && (size_t)length < sizeof command);
    out = popen(command, "r");
    assert_non_null(out);
    length = (int)fread(log, 1, sizeof log - 1, out);
    if (pclose(out) != 0)
        fail_msg("%s\n%.*s", command, length, log);
}

void kit_write(const struct kit *kit, const char *file, const void *bytes, size_t size)
{
    FILE *out = fopen(kit_path(kit, file), "wb");

    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

unsigned char *kit_read(const struct kit *kit, const char *file, size_t *ret_size)
{
    FILE *in = fopen(kit_path(kit, file), "rb");
    unsigned char *bytes;
    struct stat st;

    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &st), 0);
    bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, (size_t)st.st_size, in);
    fclose(in);
    assert_int_equal(*ret_size, st.st_size);
    return bytes;
}

void kit_open(struct kit *kit)
{
    const char *dirs[] = { kit->folder };

    plugins_close(&kit->plugins);
    kit->plugins = plugins_open(dirs, 1);
    assert_non_null(kit->plugins);
}

const struct plugin *kit_find(struct kit *kit, const char *name)
{
    if (!kit->plugins)
        kit_open(kit);
    kit->why = "";
    return plugins_find(kit->plugins, name, &kit->why);
}

const struct plugin_entry *kit_entry(struct kit *kit, const char *name)
{
    const struct plugin_entry *entries;
    size_t count;

    if (!kit->plugins)
        kit_open(kit);
    entries = plugins_list(kit->plugins, &count);
    assert_non_null(entries);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(entries[i].name, name))
            return &entries[i];
    }
    return NULL;
}

void expect_refused(struct kit *kit, const char *name, const char *words)
{
    if (kit_find(kit, name))
        fail_msg("%s was loaded; a refusal with \"%s\" was expected", name, words);
    if (!strstr(kit->why, words))
        fail_msg("the refusal is \"%s\"; it was expected to say \"%s\"", kit->why, words);
    assert_null(strchr(kit->why, '\n'));
    assert_non_null(strchr(kit->why, ';')); /* what was found; what is supported; what to do */
}
