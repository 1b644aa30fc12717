/* test_token.c - a token's life by a clock of our own, and answers that hold none. */
#include <afferent/testkit.h>

#include <string.h>

#include "token.h"

#define S INT64_C(1000000000)

static const struct oauth_config oauth = { "https://x/token", "me", "secret", NULL, NULL };
static const struct config config = { .url = "https://x/", .oauth = &oauth, .timeout = S, .connect_timeout = S };

static const char *given(struct token *t, const char *answer, int64_t now)
{
    t->transfer.answer.size = 0;
    text_say(&t->transfer.answer, answer);
    return token_take(t, NULL, 200, now);
}

TEST(a_token_is_asked_for_anew_a_minute_before_its_end_or_a_fifth)
{
    struct token t = { .config = config };

    assert_true(token_open(&t, &config));
    assert_true(token_is_due(&t, 0));
    assert_null(token_get(&t, 0));
    assert_null(given(&t, "{\"access_token\":\"abc\",\"token_type\":\"bearer\",\"expires_in\":3600}", 10 * S));
    assert_string_equal(token_get(&t, 10 * S), "abc");
    assert_false(token_is_due(&t, 3549 * S));
    assert_true(token_is_due(&t, 3550 * S));
    assert_non_null(token_get(&t, 3609 * S));
    assert_null(token_get(&t, 3610 * S));
    assert_null(given(&t, "{\"expires_in\":\"100\",\"access_token\":\"de.f-\"}", 0));
    assert_false(token_is_due(&t, 79 * S));
    assert_true(token_is_due(&t, 80 * S));
    assert_null(given(&t, "{\"access_token\":\"g\"}", 0)); /* five minutes where nothing is said */
    assert_null(token_get(&t, 300 * S));
    assert_non_null(token_get(&t, 299 * S));
    token_drop(&t);
    assert_null(token_get(&t, 0));
    token_close(&t);
}

TEST(an_answer_without_a_bearer_token_is_refused)
{
    static const char *const answers[] = {
        "", "{}", "[]", "{\"access_token\":\"\"}", "{\"access_token\":7}", "{\"access_token\":null}", "{\"access_token\":\"a\"",
        "{\"access_token\":\"a\\r\\nX: y\"}", "{\"access_token\":\"a b\"}", "{\"access_token\":\"\xc3\xa9\"}",
        "{\"access_token\":\"a\\u0000b\"}", "{\"access_token\":\"a\",\"token_type\":\"mac\"}",
        "{\"access_token\":\"a\",\"access_token\":\"b\"}", "<html>",
    };
    struct token t = { .config = config };

    assert_true(token_open(&t, &config));
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (!given(&t, answers[i], 0) || token_get(&t, 0))
            fail_msg("taken: %s", answers[i]);
    assert_non_null(strstr(token_take(&t, NULL, 401, 0), "refuses this client"));
    assert_non_null(strstr(token_take(&t, NULL, 503, 0), "gives no token"));
    assert_string_equal(token_take(&t, "away", 0, 0), "away");
    token_close(&t);
}

AFF_TEST_MAIN(a_token_is_asked_for_anew_a_minute_before_its_end_or_a_fifth, an_answer_without_a_bearer_token_is_refused)
