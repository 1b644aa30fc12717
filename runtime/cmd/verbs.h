/* verbs.h - the verbs of the command, one file each.
 *
 * A verb gets what stands behind its name, the name first, and returns the exit
 * code. Results go to stdout; live line, ledger and log to stderr. */
#ifndef AFFERENT_CMD_VERBS_H
#define AFFERENT_CMD_VERBS_H

enum exit_code {
    EXIT_DONE = 0,
    EXIT_WRONG = 1, /* what was examined is wrong: ledger, archive */
    EXIT_USAGE = 2, /* bad configuration or usage */
    EXIT_ERROR = 3  /* the run ended on an error */
};

int verb_run(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_plan(int argc, char **argv);
int verb_graph(int argc, char **argv);
int verb_query(int argc, char **argv);
int verb_plugin(int argc, char **argv);
int verb_init(int argc, char **argv);
int verb_schema(int argc, char **argv);
int verb_key(int argc, char **argv);
int verb_ledger(int argc, char **argv);
int verb_dlq(int argc, char **argv);
int verb_store(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_reload(int argc, char **argv);
int verb_diff(int argc, char **argv);
int verb_alert(int argc, char **argv);
int verb_serve(int argc, char **argv);

#endif
