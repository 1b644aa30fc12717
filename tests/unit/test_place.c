/* test_place.c - where state and sockets of a pipeline lie.
 *
 * Sources: show/place.c, util/text.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "show/place.h"

static void paths_follow_the_environment(void **state)
{
    struct place_paths p;
    char why[512];

    (void)state;
    setenv("STATE_DIRECTORY", "/s/one:/s/two", 1);
    setenv("RUNTIME_DIRECTORY", "/r", 1);
    assert_true(place_find("ward", &p, why, sizeof why));
    assert_string_equal(p.folder, "/s/one/ward");
    assert_int_equal(strncmp(p.socket, "/r/ward-", 8), 0);
    place_free(&p);
    unsetenv("STATE_DIRECTORY");
    unsetenv("RUNTIME_DIRECTORY");
    setenv("XDG_STATE_HOME", "/x/state", 1);
    setenv("XDG_RUNTIME_DIR", "/x/run", 1);
    assert_true(place_find("ward", &p, why, sizeof why));
    assert_string_equal(p.folder, "/x/state/afferent/ward");
    assert_string_equal(p.sockets, "/x/run/afferent");
    place_free(&p);
    setenv("XDG_STATE_HOME", "relative", 1);
    unsetenv("XDG_RUNTIME_DIR");
    setenv("HOME", "/home/x", 1);
    assert_true(place_find("ward", &p, why, sizeof why));
    assert_string_equal(p.folder, "/home/x/.local/state/afferent/ward");
    assert_string_equal(p.sockets, "/home/x/.local/state/afferent/run");
    place_free(&p);
}

static void a_path_too_long_for_a_socket_is_made_short_or_refused(void **state)
{
    char folder[256], name[64], why[512];
    struct place_paths p;

    (void)state;
    memset(name, 'n', 63);
    name[63] = '\0';
    setenv("STATE_DIRECTORY", "/s", 1);
    memset(folder, 'f', sizeof folder);
    folder[0] = '/';
    folder[60] = '\0';
    setenv("RUNTIME_DIRECTORY", folder, 1);
    assert_true(place_find(name, &p, why, sizeof why));
    assert_int_equal(strlen(p.socket), 60 + 17);
    place_free(&p);
    folder[60] = 'f';
    folder[100] = '\0';
    setenv("RUNTIME_DIRECTORY", folder, 1);
    assert_false(place_find("n", &p, why, sizeof why));
    assert_non_null(strstr(why, "RUNTIME_DIRECTORY"));
    place_free(&p);
    unsetenv("RUNTIME_DIRECTORY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_follow_the_environment),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_made_short_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
