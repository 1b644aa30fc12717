/* graph.c - `afferent graph`: draws a pipeline.
 *
 * Not here: the drawing (show/picture.h). */
#include <stdio.h>

#include "cmd/opened.h"
#include "cmd/verbs.h"
#include "show/picture.h"

enum { FORMAT_TEXT, FORMAT_DOT, FORMAT_MERMAID };
static const char *const formats[] = { "text", "dot", "mermaid", NULL };

static const char examples[] =
    "  afferent graph bedside.toml\n"
    "  afferent graph bedside.toml --format dot | dot -Tsvg > bedside.svg\n"
    "  afferent graph bedside.toml --format mermaid\n";

static int arguments(struct opened *opened, int *format, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "format", ARGS_CHOICE, format, "text|dot|mermaid", "What to draw for; text by default.", formats },
        OPENED_FLAGS(*opened),
    };
    const struct args_about about = {
        .verb = "graph",
        .operands = "PIPELINE.toml",
        .summary = "draws a pipeline",
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    return args_read(&about, argc, argv, &opened->operands);
}

static int draw(const struct plan *plan, int format)
{
    if (format == FORMAT_DOT)
        picture_dot(plan, stdout);
    else if (format == FORMAT_MERMAID)
        picture_mermaid(plan, stdout);
    else if (!picture_text(plan, stdout)) {
        fputs("afferent: there is no memory\n", stderr);
        return EXIT_ERROR;
    }
    return EXIT_DONE;
}

int verb_graph(int argc, char **argv)
{
    struct opened opened = { .file = NULL };
    int format = FORMAT_TEXT;
    int code = arguments(&opened, &format, argc, argv);

    if (code < 0)
        code = opened_need(&opened);
    if (code < 0)
        code = draw(opened.plan, format);
    opened_close(&opened);
    return code;
}
