/* test_control.c - the door of a running pipeline, and those who have its key.
 *
 * Sources: control_kit.c, show/control*.c, show/place.c, util/text.c. Not here: peers
 * without the key (test_control_hostile.c). */
#include "control_kit.h"

#include <sys/stat.h>
#include <time.h>

/* ---- with a key ---- */

static void who_has_the_key_is_answered(void **state)
{
    struct bench *b = *state;
    struct control_figures f;
    struct text answer;
    int code = -1;

    good_client_is_answered(b);
    assert_int_equal(ask(b, "retry", "17", &code, &answer), ASK_OK);
    assert_int_equal(code, 1);
    assert_string_equal(answer.data, "17 ");
    text_free(&answer);
    control_figures(b->control, &f);
    assert_int_equal(f.answered, 2);
    assert_int_equal(control_refused(&f), 0);
}

static void a_hundred_good_clients_are_not_taken_for_bad_ones(void **state)
{
    struct bench *b = *state;
    struct control_figures f;

    for (int i = 0; i < 100; i++)
        good_client_is_answered(b);
    control_figures(b->control, &f);
    assert_int_equal(f.answered, 100);
    assert_int_equal(control_refused(&f), 0);
}

static void a_command_has_pairs_of_column_and_value(void **state)
{
    struct bench *b = *state;
    const char *arguments[] = { "alerts", "action", "acknowledge", "by", "a name with blanks" };
    struct control_request request = { "command", arguments, 5 };
    struct text answer;
    int code = -1;

    assert_int_equal(control_ask(&b->paths, &request, LONG_MS, &code, &answer), ASK_OK);
    assert_string_equal(answer.data, "alerts action=acknowledge by=a name with blanks");
    text_free(&answer);
    request.count = 4;
    assert_int_equal(control_ask(&b->paths, &request, LONG_MS, &code, &answer), ASK_OK);
    assert_int_equal(code, 2);
    text_free(&answer);
    assert_true(comes(b, unknowns, 1));
}

static void what_the_run_cannot_do_is_said(void **state)
{
    struct bench *b = *state;
    struct text answer;
    int code = -1;

    assert_int_equal(ask(b, "stop", NULL, &code, &answer), ASK_OK);
    assert_int_equal(code, 2);
    assert_non_null(strstr(answer.data, "cannot"));
    text_free(&answer);
}

static void an_unknown_verb_or_wrong_arguments_are_counted(void **state)
{
    static const char *const asks[][2] = { { "selfdestruct", NULL }, { "status", "now" }, { "retry", NULL },
                                           { "retry", "-1" }, { "retry", "1x" }, { "reload", NULL },
                                           { "retry", "99999999999999999999" } };
    struct bench *b = *state;
    struct text answer;
    int code = -1;

    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        assert_int_equal(ask(b, asks[i][0], asks[i][1], &code, &answer), ASK_OK);
        assert_int_equal(code, 2);
        text_free(&answer);
    }
    assert_true(comes(b, unknowns, sizeof asks / sizeof *asks));
    assert_int_equal(answered(b), 0);
}

static void an_answer_that_is_too_large_is_said_to_be(void **state)
{
    struct bench *b = *state;
    struct text answer;
    int code = -1;

    assert_int_equal(ask(b, "ledger", NULL, &code, &answer), ASK_OK);
    assert_int_equal(code, 3);
    assert_string_equal(answer.data, "the answer is too large to be sent");
    text_free(&answer);
}

static void *ask_reload(void *arg)
{
    struct text answer;
    int code = -1;
    enum ask_status status = ask(arg, "reload", "/a b.toml", &code, &answer);
    bool ok = status == ASK_OK && code == 0 && strcmp(answer.data, "/a b.toml") == 0;

    text_free(&answer);
    return ok ? arg : NULL;
}

static void a_long_request_locks_nobody_out(void **state)
{
    struct bench *b = *state;
    struct peer peers[CONTROL_WAITING];
    struct control_keys k;
    pthread_t thread;
    void *ok;

    pthread_mutex_lock(&b->gate);
    assert_int_equal(pthread_create(&thread, NULL, ask_reload, b), 0);
    while (!b->begun)
        usleep(1000);
    read_keys(b, &k);
    for (int i = 0; i < CONTROL_WAITING; i++) /* one more than there is room for */
        peers[i] = peer_open(b, &k);
    for (int i = 0; i + 1 < CONTROL_WAITING; i++) {
        send_status(&peers[i]);
        send_status(&peers[i]);
        expect_reply(&peers[i], "an earlier request of yours");
    }
    send_status(&peers[CONTROL_WAITING - 1]);
    expect_reply(&peers[CONTROL_WAITING - 1], "busy with other requests");
    pthread_mutex_unlock(&b->gate);
    for (int i = 0; i + 1 < CONTROL_WAITING; i++)
        expect_reply(&peers[i], "fine");
    pthread_join(thread, &ok);
    assert_ptr_equal(ok, b);
    for (int i = 0; i < CONTROL_WAITING; i++)
        peer_close(&peers[i]);
}

static void closing_waits_for_what_is_being_done(void **state)
{
    struct bench *b = *state;
    pthread_t thread;
    void *ok;

    pthread_mutex_lock(&b->gate);
    assert_int_equal(pthread_create(&thread, NULL, ask_reload, b), 0);
    while (!b->begun)
        usleep(1000);
    pthread_mutex_unlock(&b->gate);
    control_close(&b->control);
    pthread_join(thread, &ok);
    assert_ptr_equal(ok, b);
}

/* ---- files ---- */

static void the_key_file_is_its_owners_alone_and_goes_with_the_run(void **state)
{
    struct bench *b = *state;
    struct control_keys k;
    struct text answer;
    char path[512];
    struct stat st;
    int code;

    snprintf(path, sizeof path, "%s/control", b->paths.folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(b->paths.socket, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(b->paths.folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    control_close(&b->control);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(stat(b->paths.socket, &st), -1);
    assert_false(control_keys_read(path, &k));
    assert_int_equal(ask(b, "status", NULL, &code, &answer), ASK_NOT_RUNNING);
}

static void a_run_that_was_killed_is_seen_at_once_as_gone(void **state)
{
    struct bench *b = *state;
    char from[512], to[512];
    struct timespec begun, ended;
    struct text answer;
    int code;

    snprintf(from, sizeof from, "%s/control", b->paths.folder);
    snprintf(to, sizeof to, "%s/kept", b->paths.folder);
    assert_int_equal(link(from, to), 0);
    control_close(&b->control);
    assert_int_equal(rename(to, from), 0);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    assert_int_equal(ask(b, "status", NULL, &code, &answer), ASK_NOT_RUNNING);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    assert_true(ended.tv_sec - begun.tv_sec < LONG_MS / 2000);
    open_door(b); /* and the next run takes its place */
    good_client_is_answered(b);
}

static void a_broken_key_file_is_refused(void **state)
{
    static const char *const files[] = { "", "x", "afferent-control-key 1", "afferent-control-key 1\n",
                                         "afferent-control-key 2\nsocket /x\n",
                                         "afferent-control-key 1\nsocket /x\nserver short\nclient\nsecret\n" };
    struct bench *b = *state;
    struct text answer;
    char path[512];
    int code;

    snprintf(path, sizeof path, "%s/control", b->paths.folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(files[i], f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(ask(b, "status", NULL, &code, &answer), ASK_DENIED);
    }
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody waits for its writer */
    assert_int_equal(ask(b, "status", NULL, &code, &answer), ASK_DENIED);
}

static void a_socket_is_not_put_where_others_may_write(void **state)
{
    struct bench *b = *state;
    char why[512];

    control_close(&b->control);
    assert_int_equal(chmod(b->paths.sockets, 0777), 0);
    assert_false(place_make(&b->paths, why, sizeof why));
    assert_non_null(strstr(why, "others may write"));
}

/* ---- words ---- */

static void no_bytes_lead_a_reader_astray(void **state)
{
    enum { ROUNDS = 20000, MOST = 200 };
    const char *arguments[CONTROL_ARGUMENTS];
    struct control_request request;
    unsigned seed = 11;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        size_t size = (size_t)rand_r(&seed) % MOST;
        char *bytes = malloc(size + 1), *memory = malloc(size + 1);
        const char *text;
        size_t length;
        int code;

        for (size_t k = 0; k < size; k++)
            bytes[k] = (char)(rand_r(&seed) % 4 ? "\n a1"[rand_r(&seed) % 4] : rand_r(&seed));
        memcpy(bytes, CONTROL_HEAD, size < sizeof CONTROL_HEAD - 1 ? size : sizeof CONTROL_HEAD - 1);
        if (control_request_read(bytes, size, memory, arguments, &request)) {
            assert_true(strlen(request.verb) > 0);
            for (uint32_t k = 0; k < request.count; k++)
                assert_true(strlen(request.arguments[k]) < size);
        }
        if (control_reply_read(bytes, size, &code, &text, &length))
            assert_true(code >= 0 && code <= 3 && text + length == bytes + size);
        free(bytes);
        free(memory);
    }
}

static void what_is_written_is_read_back(void **state)
{
    const char *in[] = { "", "a b", "\xc3\xa9" }, *arguments[CONTROL_ARGUMENTS];
    struct control_request request = { "retry", in, 3 }, back;
    struct text text = { 0 };
    char memory[256];

    (void)state;
    assert_true(control_request_write(&text, &request));
    assert_true(control_request_read(text.data, text.length, memory, arguments, &back));
    assert_string_equal(back.verb, "retry");
    assert_int_equal(back.count, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(back.arguments[i], in[i]);
    text_free(&text);
    in[1] = "two\nlines";
    assert_false(control_request_write(&text, &request));
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR(who_has_the_key_is_answered),
        DOOR(a_hundred_good_clients_are_not_taken_for_bad_ones),
        DOOR(a_command_has_pairs_of_column_and_value),
        DOOR(what_the_run_cannot_do_is_said),
        DOOR(an_unknown_verb_or_wrong_arguments_are_counted),
        DOOR(an_answer_that_is_too_large_is_said_to_be),
        DOOR(a_long_request_locks_nobody_out),
        DOOR(closing_waits_for_what_is_being_done),
        DOOR(the_key_file_is_its_owners_alone_and_goes_with_the_run),
        DOOR(a_run_that_was_killed_is_seen_at_once_as_gone),
        DOOR(a_broken_key_file_is_refused),
        DOOR(a_socket_is_not_put_where_others_may_write),
        cmocka_unit_test(no_bytes_lead_a_reader_astray),
        cmocka_unit_test(what_is_written_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
