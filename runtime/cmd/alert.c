/* alert.c - `afferent alert ls|ack`: which alerts are in force, and taking notice.
 *
 * `ls` reads what the pipeline has archived of its alerts, so it can be asked
 * whether the pipeline runs or not. `ack` gives the running node a command: a row on
 * its port for commands, which goes the way of any record and is in its accounts.
 *
 * Not a medical device: taking notice here tells nobody else.
 *
 * Not here: what is in force (show/alerts.h), alerting itself (plugins). */
#include <afferent/plugin.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/audit.h"
#include "cmd/shelf.h"
#include "cmd/verbs.h"
#include "cmd/words.h"
#include "flow/query_host.h"
#include "show/alerts.h"
#include "show/lines.h"

enum { GO_ON = -1, ANSWER_MS = 30000, ID_LENGTH = 16, CODE_LENGTH = 6, ACKS_MOST = 256 };

struct alerting {
    struct shelf shelf;
    const char *node;
    const char *rule;
    const char *place;
    const char *by;
    bool json;
};

/* ---- ls ---- */

static bool is_archive(const struct plan_node *n)
{
    const struct aff_plugin *about = &n->plugin->about;

    return (about->flags & AFF_ARCHIVE) && about->query_open && about->query_next && about->query_close;
}

static aff_status read_all(const struct plan_node *n, struct aff_host *host, struct alerts *alerts, uint64_t *damaged)
{
    const struct aff_query all = { .struct_size = sizeof all, .from_ns = INT64_MIN, .to_ns = INT64_MAX };
    const struct aff_plugin *about = &n->plugin->about;
    struct aff_record record;
    void *cursor;
    aff_status st = about->query_open(host, n->config, &all, &cursor);

    if (st < 0)
        return st;
    for (;;) {
        st = about->query_next(cursor, &record);
        if (st == AFF_END || (st < 0 && st != AFF_ERR_DATA))
            break;
        if (st < 0 || !alerts_record(alerts, record.schema ? host->schema_info(host, record.schema) : NULL, &record))
            ++*damaged;
    }
    about->query_close(cursor);
    return st == AFF_END ? AFF_OK : st;
}

static int read_archive(struct alerting *a, const struct plan_node *n, struct alerts *alerts, uint64_t *damaged)
{
    struct lines *lines = lines_open(AFF_LOG_WARN);
    struct aff_host *host = lines ? query_host_open(n->name, lines_log, lines) : NULL;
    int code = EXIT_ERROR;
    const char *why;

    if (!host) {
        fputs("afferent: there is no memory\n", stderr);
    } else if (read_all(n, host, alerts, damaged) == AFF_OK) {
        code = GO_ON;
    } else {
        why = query_host_why(host);
        fprintf(stderr, "%s: error: [%s] %s\n", a->shelf.opened.file, n->name, *why ? why : "it cannot be read");
    }
    query_host_close(&host);
    lines_close(&lines);
    return code;
}

static int no_archive(const struct alerting *a, bool has_any)
{
    fprintf(stderr, "%s: error: %s; expected an archive that alerts come to; add one behind the node that "
            "alerts\n", a->shelf.opened.file,
            has_any ? "no archive of this pipeline holds an alert" : "this pipeline has no archive");
    return EXIT_USAGE;
}

static int print_alerts(const struct alerting *a, const struct alerts *alerts, uint64_t damaged)
{
    if (a->json)
        alerts_json(alerts, stdout);
    else
        alerts_print(alerts, stdout);
    if (alerts->failed) {
        fputs("afferent: there is no memory: some alerts are missing\n", stderr);
        return EXIT_ERROR;
    }
    return damaged ? EXIT_WRONG : EXIT_DONE;
}

/* Where alerts come to is not in the plan's columns alone (they may be open), so each
 * archive is looked through. */
static int alert_ls(struct alerting *a)
{
    const struct plan *plan = a->shelf.opened.plan;
    struct alerts alerts = { .count = 0 };
    uint64_t damaged = 0;
    bool has_any = false;
    int code = GO_ON;

    for (uint32_t i = 0; i < plan->node_count && code < 0; i++) {
        const struct plan_node *n = &plan->nodes[i];

        if (!is_archive(n) || (a->node && strcmp(a->node, n->name) != 0))
            continue;
        has_any = true;
        code = read_archive(a, n, &alerts, &damaged);
    }
    if (code < 0)
        code = has_any && (alerts.begun || a->node) ? print_alerts(a, &alerts, damaged) : no_archive(a, has_any);
    alerts_close(&alerts);
    return code;
}

/* ---- ack ---- */

/* The node that alerts and takes commands. */
static bool takes_commands(const struct plan_node *n)
{
    const struct plugin *p = n->plugin;
    bool alerts = false, commands = false;

    for (uint32_t i = 0; i < p->output_count; i++)
        alerts = alerts || strcmp(p->outputs[i].name, "alerts") == 0;
    for (uint32_t i = 0; i < p->input_count; i++)
        commands = commands || (p->inputs[i].flags & AFF_PORT_COMMANDS);
    return alerts && commands;
}

/* Where another such node is told its alerts, that one knows who was told them, and
 * hands the notice on. */
static bool leads_on(const struct plan *plan, uint32_t node)
{
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];
        const struct plan_node *to = &plan->nodes[e->to];

        if (e->from == node && !(to->plugin->inputs[e->to_port].flags & AFF_PORT_COMMANDS) && takes_commands(to))
            return true;
    }
    return false;
}

static int find_node(struct alerting *a)
{
    const struct plan *plan = a->shelf.opened.plan;
    const char *found = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!takes_commands(&plan->nodes[i]) || (a->node ? strcmp(a->node, plan->nodes[i].name) != 0 : leads_on(plan, i)))
            continue;
        found = plan->nodes[i].name;
        count++;
    }
    if (count == 1) {
        a->node = found;
        return GO_ON;
    }
    fprintf(stderr, "%s: error: %s; expected --node with one that alerts and takes commands\n", a->shelf.opened.file,
            count ? "several nodes alert" : "no such node alerts");
    return EXIT_USAGE;
}

/* A code is what messages of an escalation name. */
static bool is_id(const char *word)
{
    if (strlen(word) == CODE_LENGTH && strspn(word, "0123456789") == CODE_LENGTH)
        return true;
    return strlen(word) == ID_LENGTH && strspn(word, "0123456789abcdef") == ID_LENGTH;
}

static int check_words(const struct alerting *a)
{
    const struct args_list *words = &a->shelf.opened.operands;
    bool named = a->rule && a->place;

    for (size_t i = 1; i < words->count; i++)
        if (!is_id(words->words[i])) {
            fprintf(stderr, "afferent alert ack: \"%s\" is no alert; expected 16 digits as afferent alert ls prints "
                    "them, or the six of a message\n", words->words[i]);
            return EXIT_USAGE;
        }
    if ((words->count > 1) != named && !a->rule == !a->place)
        return GO_ON;
    fputs("afferent alert ack: which alert? expected its 16 digits, or --rule and --place\n", stderr);
    return EXIT_USAGE;
}

/* Who it is that takes notice: the user, unless another name is given. */
static const char *who(const struct alerting *a)
{
    const struct passwd *user = a->by ? NULL : getpwuid(getuid());

    return a->by ? a->by : user ? user->pw_name : "";
}

static int send_ack(struct alerting *a, const char *id)
{
    const char *arguments[9] = { a->node, "action", "acknowledge", "by", who(a) };
    struct control_request request = { .verb = "command", .arguments = arguments, .count = 5 };
    struct text answer = { 0 };
    int code, said = EXIT_ERROR;

    arguments[request.count++] = id ? "alert" : "rule";
    arguments[request.count++] = id ? id : a->rule;
    if (!id) {
        arguments[request.count++] = "place";
        arguments[request.count++] = a->place;
    }
    code = shelf_ask(&a->shelf, &request, ANSWER_MS, &said, &answer);
    if (code < 0) {
        code = said;
        if (said == EXIT_DONE)
            printf("%s: handed to %s; afferent alert ls shows when notice is taken\n", id ? id : a->rule, a->node);
        else
            fprintf(stderr, "%s: error: %s: %s\n", a->shelf.opened.file, id ? id : a->rule,
                    answer.data ? answer.data : "");
    }
    text_free(&answer);
    return code;
}

static int alert_ack(struct alerting *a)
{
    const struct args_list *words = &a->shelf.opened.operands;
    int code = find_node(a), worst = EXIT_DONE;

    if (code >= 0)
        return code;
    for (size_t i = 1; i <= words->count && worst <= EXIT_WRONG; i++) {
        const char *id = i < words->count ? words->words[i] : NULL;
        const struct audit audit = { .verb = "alert ack", .other = id ? id : a->rule };

        if (!id && words->count > 1)
            break;
        code = audit_note(a->shelf.paths.folder, &audit) ? send_ack(a, id) : EXIT_ERROR;
        worst = code > worst ? code : worst;
    }
    return worst;
}

/* ---- words ---- */

enum { LS, ACK };
static const struct args_about works[] = {
    [LS] = { .verb = "alert ls",
             .operands = "PIPELINE.toml",
             .summary = "lists alerts in force, out of the archive",
             .more = "It reads the archive that alerts come to. Without one there is nothing to list.\n\n"
                     "Exit codes: 0 done, 1 something damaged was stepped over, 2 bad usage, or no archive\n"
                     "holds alerts, 3 it cannot be read.\n",
             .examples = "  afferent alert ls bedside.toml\n",
             .least = 1,
             .most = 1 },
    [ACK] = { .verb = "alert ack",
              .operands = "PIPELINE.toml [ALERT ...]",
              .summary = "takes notice of alerts",
              .more = "It goes as a command to the node that alerts; what that tells is in the archive,\n"
                      "with who took notice. Not a medical device: this tells nobody else.\n\n"
                      "Exit codes: 0 done, 2 bad usage, 3 the pipeline does not run, or does not answer.\n",
              .examples = "  afferent alert ack bedside.toml 1f0c63d2a9b45e77\n"
                          "  afferent alert ack bedside.toml --rule spo2-low --place \"bed 3\" --by \"B. Smith\"\n",
              .least = 1,
              .most = 1 + ACKS_MOST },
};

static int arguments(struct alerting *a, size_t which, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "node", ARGS_TEXT, &a->node, "NAME", which == ACK ? "Which node, where several alert." : "Only this archive.",
          NULL },
        OPENED_FLAGS(a->shelf.opened),
        { "json", ARGS_SWITCH, &a->json, NULL, "Prints JSON (ls).", NULL },
        { "rule", ARGS_TEXT, &a->rule, "NAME", "With --place: the alert of this rule there (ack).", NULL },
        { "place", ARGS_TEXT, &a->place, "NAME", "Where the alert is (ack).", NULL },
        { "by", ARGS_TEXT, &a->by, "NAME", "Who takes notice; this user if not given (ack).", NULL },
    };
    struct args_about about = works[which];

    about.flags = flags;
    about.flag_count = which == ACK ? 7 : 4;
    return args_read(&about, argc, argv, &a->shelf.opened.operands);
}

static int alert_run(size_t which, int argc, char **argv)
{
    struct alerting a = { .json = false };
    int code = arguments(&a, which, argc, argv);

    if (code < 0 && which == ACK)
        code = check_words(&a);
    if (code < 0)
        code = shelf_need(&a.shelf);
    if (code < 0)
        code = which == ACK ? alert_ack(&a) : alert_ls(&a);
    shelf_close(&a.shelf);
    return code;
}

int verb_alert(int argc, char **argv)
{
    static const struct words words = { "alert", "alerts in force", works, sizeof *works,
                                        sizeof works / sizeof *works, alert_run };

    return words_run(&words, argc, argv);
}
