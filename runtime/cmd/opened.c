/* opened.c - see opened.h. */
#include "cmd/opened.h"

#include "cmd/verbs.h"

enum { GO_ON = -1 };

static int no_memory(void)
{
    fputs("afferent: there is no memory\n", stderr);
    return EXIT_ERROR;
}

int opened_read(struct opened *o)
{
    struct pipeline_request request;

    o->file = o->operands.words[0];
    o->report = report_new();
    o->plugins = plugins_open(o->dirs.words, o->dirs.count);
    if (!o->report || !o->plugins)
        return no_memory();
    request = (struct pipeline_request){
        .file = o->file,
        .sets = o->sets.words,
        .set_count = o->sets.count,
        .pace = o->pace,
        .json = o->json,
    };
    o->plan = pipeline_read(o->plugins, &request, o->report);
    return GO_ON;
}

int opened_need(struct opened *o)
{
    int code = opened_read(o);

    if (code >= 0)
        return code;
    report_print(o->report, stderr);
    return o->plan ? GO_ON : EXIT_USAGE;
}

void opened_close(struct opened *o)
{
    plan_close(&o->plan);
    plugins_close(&o->plugins);
    report_free(&o->report);
    args_free(&o->operands);
    args_free(&o->sets);
    args_free(&o->dirs);
}
