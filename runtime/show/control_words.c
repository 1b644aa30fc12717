/* control_words.c - what client and server of the door say to each other.
 *
 * Text in lines. Bytes come from a peer that has a key, and are trusted no more for
 * that: a line is UTF-8 or not, but it never holds a control character.
 *
 * Not here: sockets and keys (control.c, control_client.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show/control.h"

enum { HEAD = sizeof CONTROL_HEAD - 1, VERB_MOST = 32 };

/* ---- request ---- */

static bool is_clean(const char *line)
{
    for (; *line; line++)
        if ((unsigned char)*line < 0x20 || *line == 0x7f)
            return false;
    return true;
}

/* The next line of `at`, ended by zero in place; NULL: it is broken. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');

    if (!end)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return is_clean(line) ? line : NULL;
}

bool control_request_read(const void *bytes, size_t size, char *memory, const char **arguments,
                          struct control_request *ret_request)
{
    char *at = memory + HEAD;
    char *line;

    if (size <= HEAD || memcmp(bytes, CONTROL_HEAD, HEAD) != 0 || memchr(bytes, 0, size))
        return false;
    memcpy(memory, bytes, size);
    memory[size] = '\0';
    *ret_request = (struct control_request){ .verb = next_line(&at), .arguments = arguments };
    if (!ret_request->verb || !*ret_request->verb || strlen(ret_request->verb) > VERB_MOST)
        return false;
    while (*at) {
        line = next_line(&at);
        if (!line || ret_request->count == CONTROL_ARGUMENTS)
            return false;
        arguments[ret_request->count++] = line;
    }
    return true;
}

bool control_request_write(struct text *text, const struct control_request *request)
{
    text_print(text, CONTROL_HEAD "%s\n", request->verb);
    if (request->count > CONTROL_ARGUMENTS)
        return false;
    for (uint32_t i = 0; i < request->count; i++) {
        if (!is_clean(request->arguments[i]))
            return false;
        text_print(text, "%s\n", request->arguments[i]);
    }
    return !text->failed && text->length <= CONTROL_REQUEST_MOST;
}

/* ---- reply ---- */

void control_reply_write(struct text *text, int code, const struct text *answer)
{
    bool fits = !answer->failed && answer->length <= CONTROL_REPLY_MOST - HEAD - 8;

    text_print(text, CONTROL_HEAD "%d\n", fits ? code : 3);
    if (!fits)
        text_add(text, answer->failed ? "there is no memory" : "the answer is too large to be sent");
    else if (answer->length > 0)
        text_add_bytes(text, answer->data, answer->length);
}

bool control_reply_read(const void *bytes, size_t size, int *ret_code, const char **ret_answer, size_t *ret_size)
{
    const char *at = bytes;

    if (size < HEAD + 2 || size > CONTROL_REPLY_MOST || memcmp(at, CONTROL_HEAD, HEAD) != 0)
        return false;
    if (at[HEAD] < '0' || at[HEAD] > '3' || at[HEAD + 1] != '\n')
        return false;
    *ret_code = at[HEAD] - '0';
    *ret_answer = at + HEAD + 2;
    *ret_size = size - HEAD - 2;
    return true;
}

/* ---- what is done ---- */

static bool read_number(const char *word, uint64_t *ret_number)
{
    char *end;

    if (*word < '0' || *word > '9')
        return false;
    errno = 0;
    *ret_number = strtoull(word, &end, 10);
    return *end == '\0' && errno == 0;
}

static int cannot(struct text *answer)
{
    text_add(answer, "this run cannot do that");
    return 2;
}

static int do_letters(int (*call)(void *, const uint64_t *, uint32_t, struct text *), void *arg,
                      const struct control_request *r, struct text *answer)
{
    uint64_t letters[CONTROL_ARGUMENTS];

    if (r->count == 0)
        return -1;
    for (uint32_t i = 0; i < r->count; i++)
        if (!read_number(r->arguments[i], &letters[i]))
            return -1;
    return call ? call(arg, letters, r->count, answer) : cannot(answer);
}

static int do_plain(int (*call)(void *, struct text *), void *arg, const struct control_request *r,
                    struct text *answer)
{
    if (r->count != 0)
        return -1;
    return call ? call(arg, answer) : cannot(answer);
}

/* For people, or with the argument `json` for programs. */
static int do_shown(int (*call)(void *, bool, struct text *), void *arg, const struct control_request *r,
                    struct text *answer)
{
    bool json = r->count == 1 && strcmp(r->arguments[0], "json") == 0;

    if (r->count != (json ? 1 : 0))
        return -1;
    return call ? call(arg, json, answer) : cannot(answer);
}

static int do_command(const struct control_work *w, const struct control_request *r, struct text *answer)
{
    if (r->count < 3 || r->count % 2 == 0)
        return -1;
    return w->command ? w->command(w->arg, r->arguments[0], r->arguments + 1, (r->count - 1) / 2, answer)
                      : cannot(answer);
}

int control_do(const struct control_work *w, const struct control_request *r, struct text *answer)
{
    if (!strcmp(r->verb, "status"))
        return do_shown(w->status, w->arg, r, answer);
    if (!strcmp(r->verb, "ledger"))
        return do_shown(w->ledger, w->arg, r, answer);
    if (!strcmp(r->verb, "stop"))
        return do_plain(w->stop, w->arg, r, answer);
    if (!strcmp(r->verb, "retry"))
        return do_letters(w->retry, w->arg, r, answer);
    if (!strcmp(r->verb, "drop"))
        return do_letters(w->drop, w->arg, r, answer);
    if (!strcmp(r->verb, "command"))
        return do_command(w, r, answer);
    if (!strcmp(r->verb, "reload") && r->count == 1)
        return w->reload ? w->reload(w->arg, r->arguments[0], answer) : cannot(answer);
    return -1;
}
