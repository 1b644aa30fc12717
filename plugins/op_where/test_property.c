/* SPDX-License-Identifier: Apache-2.0
 *
 * test_property.c - random expressions, judged by a second evaluator.
 *
 * A tree is drawn at random and written as text, with parentheses only where the
 * grammar needs them and sometimes where it does not. The program made of the
 * text and a plain walk over the tree must give the same. The walk shares no
 * code with parser, binder or machine: types are decided while drawing. */
#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>

#include "test_tree.h"

enum { TREES = 40000, ROWS = 8 };

/* ---- the second evaluator ---- */

static struct answer given[COLS]; /* the row */

static struct answer none(char type)
{
    struct answer a = { .type = type };

    return a;
}

static struct answer real(double r)
{
    struct answer a = { .type = 'r', .has = isfinite(r) != 0, .r = r };

    return a;
}

static struct answer truth(bool b)
{
    struct answer a = { .type = 'b', .has = true, .i = b };

    return a;
}

static struct answer whole(__int128 wide)
{
    struct answer a = { .type = 'i', .has = wide >= INT64_MIN && wide <= INT64_MAX, .i = (int64_t)wide };

    return a;
}

static struct answer walk(const struct tree *t);

static double number_of(const struct answer *a)
{
    return a->type == 'i' ? (double)a->i : a->r;
}

static struct answer walk_sum(const struct tree *t, const struct answer *a, const struct answer *b)
{
    char op = *t->what;

    if (t->type == 'i') {
        if (op == '%')
            return b->i == 0 ? none('i') : whole((__int128)a->i % b->i);
        return whole(op == '+' ? (__int128)a->i + b->i : op == '-' ? (__int128)a->i - b->i : (__int128)a->i * b->i);
    }
    switch (op) {
    case '+': return real(number_of(a) + number_of(b));
    case '-': return real(number_of(a) - number_of(b));
    case '*': return real(number_of(a) * number_of(b));
    case '/': return fpclassify(number_of(b)) == FP_ZERO ? none('r') : real(number_of(a) / number_of(b));
    case '%': return fpclassify(number_of(b)) == FP_ZERO ? none('r') : real(fmod(number_of(a), number_of(b)));
    default: return real(pow(number_of(a), number_of(b)));
    }
}

static int order(const struct answer *a, const struct answer *b)
{
    if (a->type == 's')
        return strcmp(a->s, b->s);
    if (a->type == 'i' && b->type == 'i')
        return a->i < b->i ? -1 : a->i > b->i;
    return number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b);
}

static struct answer walk_relation(const char *what, const struct answer *a, const struct answer *b)
{
    int o;

    if (!a->has || !b->has)
        return none('b');
    o = order(a, b);
    if (is_word(what, "="))
        return truth(o == 0);
    if (is_word(what, "!="))
        return truth(o != 0);
    if (*what == '<')
        return truth(o < 0 || (what[1] && o == 0));
    return truth(o > 0 || (what[1] && o == 0));
}

static struct answer negate(struct answer a)
{
    return a.has ? truth(!a.i) : a;
}

/* and by Kleene's table; or is and with all turned round. */
static struct answer conjunction(struct answer a, struct answer b)
{
    if ((a.has && !a.i) || (b.has && !b.i))
        return truth(false);
    return a.has && b.has ? truth(true) : none('b');
}

static struct answer walk_set(const struct tree *t)
{
    struct answer x = walk(t->arg[0]), one = walk(t->arg[1]), other = walk(t->arg[2]), a, b;
    /* All are real where one is. */
    if (x.type != 's' && (x.type == 'r' || one.type == 'r' || other.type == 'r')) {
        x.r = number_of(&x);
        one.r = number_of(&one);
        other.r = number_of(&other);
        x.type = one.type = other.type = 'r';
    }
    if (strstr(t->what, "between"))
        a = conjunction(walk_relation(">=", &x, &one), walk_relation("<=", &x, &other));
    else {
        a = walk_relation("=", &x, &one);
        b = walk_relation("=", &x, &other);
        a = negate(conjunction(negate(a), negate(b)));
    }
    return *t->what == 'n' ? negate(a) : a;
}

static struct answer walk_extreme(const struct tree *t)
{
    struct answer best = walk(t->arg[0]), a;
    int i;

    for (i = 0; i < t->args; i++) {
        a = walk(t->arg[i]);
        if (!a.has)
            return none(t->type);
        if (t->type == 'r') {
            a.r = number_of(&a);
            a.type = 'r';
        }
        if (i == 0 || (t->what[1] == 'i' ? order(&a, &best) < 0 : order(&a, &best) > 0))
            best = a;
    }
    return best;
}

static struct answer walk_math(const struct tree *t, struct answer a)
{
    const char *w = t->what;

    if (!a.has)
        return none(t->type);
    if (t->type == 'i')
        return whole(is_word(w, "neg") || a.i < 0 ? -(__int128)a.i : a.i);
    if (is_word(w, "neg"))
        return real(-a.r);
    if (is_word(w, "abs"))
        return real(fabs(a.r));
    if (is_word(w, "floor"))
        return real(floor(a.r));
    if (is_word(w, "ceil"))
        return real(ceil(a.r));
    if (is_word(w, "sqrt"))
        return a.r < 0 ? none('r') : real(sqrt(a.r));
    if (is_word(w, "exp"))
        return real(exp(a.r));
    if (is_word(w, "log"))
        return a.r > 0 ? real(log(a.r)) : none('r');
    return real(round(a.r));
}

static struct answer walk_about_text(const struct tree *t, const struct answer *a, const struct answer *b)
{
    size_t n = strlen(a->s), m = strlen(b->s);

    if (!a->has || !b->has)
        return none('b');
    if (*t->what == 'c')
        return truth(strstr(a->s, b->s) != NULL);
    if (m > n)
        return truth(false);
    return truth(strncmp(*t->what == 's' ? a->s : a->s + n - m, b->s, m) == 0);
}

static struct answer walk_text(const struct tree *t, struct answer a)
{
    char *c;

    if (is_word(t->what, "length"))
        return a.has ? whole((__int128)strlen(a.s)) : none('i');
    for (c = a.s; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return a;
}

static struct answer walk_two(const struct tree *t)
{
    struct answer a = walk(t->arg[0]), b = walk(t->arg[1]);

    if (is_word(t->what, "??"))
        return a.has ? a : b;
    if (is_word(t->what, "and"))
        return conjunction(a, b);
    if (is_word(t->what, "or"))
        return negate(conjunction(negate(a), negate(b)));
    if (t->type == 'b')
        return strstr(t->what, "with") || *t->what == 'c' ? walk_about_text(t, &a, &b)
                                                          : walk_relation(t->what, &a, &b);
    return a.has && b.has ? walk_sum(t, &a, &b) : none(t->type);
}

static struct answer walk(const struct tree *t)
{
    struct answer a;

    if (is_word(t->what, "constant"))
        return t->value;
    if (is_word(t->what, "column"))
        return given[t->column];
    if (is_word(t->what, "if")) {
        a = walk(t->arg[0]);
        return !a.has ? none(t->type) : walk(t->arg[a.i ? 1 : 2]);
    }
    if (strstr(t->what, "between") || is_word(t->what, "in") || is_word(t->what, "not in"))
        return walk_set(t);
    if (is_word(t->what, "min") || is_word(t->what, "max"))
        return walk_extreme(t);
    if (t->args == 2)
        return walk_two(t);
    a = walk(t->arg[0]);
    if (is_word(t->what, "not"))
        return negate(a);
    if (is_word(t->what, "is_missing"))
        return truth(!a.has);
    return is_word(t->what, "length") || is_word(t->what, "lower") ? walk_text(t, a) : walk_math(t, a);
}

/* ---- comparing ---- */

static void row_draw(struct test_row *t)
{
    static const char types[COLS] = {
        [COL_SPO2] = 'r', [COL_HEART_RATE] = 'i', [COL_PACED] = 'b', [COL_NAME] = 's', [COL_ODD] = 'r',
        [COL_GONE] = 'r', [COL_NOTE] = 's',       [COL_ZERO] = 'i',  [COL_FLAG] = 'b'
    };
    struct aff_row row = row_new(t);
    uint32_t i;

    for (i = 0; i < COLS; i++) {
        if (!types[i])
            continue;
        used = 0;
        given[i] = draw_constant(types[i])->value;
        given[i].has = draw(4) != 0;
        if (!given[i].has)
            continue;
        if (types[i] == 'r')
            aff_row_put_real(&row, i, given[i].r = draw(5) ? given[i].r : -given[i].r);
        else if (types[i] == 's')
            aff_row_put_text(&row, i, given[i].s, (uint32_t)strlen(given[i].s));
        else
            aff_row_put_int(&row, i, given[i].i);
    }
    t->record.size = aff_row_end(&row);
}

static bool agree(const struct answer *a, uint8_t type, const struct expr_value *v)
{
    uint32_t i;

    if (a->has != v->has)
        return false;
    if (!a->has)
        return true;
    if (type == AFF_REAL)
        return memcmp(&a->r, &v->of.real, sizeof a->r) == 0 || !(a->r < v->of.real || a->r > v->of.real);
    if (type != AFF_TEXT)
        return a->i == v->of.integer;
    for (i = 0; i < v->length; i++)
        if (folded_at(v, i) != a->s[i])
            return false;
    return a->s[i] == 0;
}

static void tree_judge(const struct tree *t, const struct expr_program *program)
{
    static struct expr_value stack[EXPR_NODES_MAX];
    struct test_row made;
    struct expr_row row = { &made.record, COLS, NULL };
    struct answer wanted;
    int i, kept = used;

    for (i = 0; i < ROWS; i++) {
        static struct tree saved[COLS];

        memcpy(saved, pool, sizeof saved);
        row_draw(&made);
        memcpy(pool, saved, sizeof saved);
        wanted = walk(t);
        if (!expr_run(program, &row, stack) || !agree(&wanted, program->type, &stack[0]))
            fail_msg("%s\n  differs in row %d: wanted has %d r %.17g i %lld s '%s'; got has %d r %.17g i %lld", text,
                     i, wanted.has, wanted.r, (long long)wanted.i, wanted.s, stack[0].has, stack[0].of.real,
                     (long long)stack[0].of.integer);
    }
    used = kept;
}

TEST(random_expressions_give_what_a_walk_over_their_tree_gives)
{
    static struct expr_draft draft;
    static struct expr_op ops[EXPR_OPS(EXPR_NODES_MAX)];
    struct expr_scope scope = { .schema = &row_schema };
    struct expr_program program = { .ops = ops };
    struct expr_fault fault = { .at = 0 };
    unsigned judged = 0, nodes = 0;
    struct expr e;
    int i;

    for (i = 0; i < TREES; i++) {
        struct tree *t;

        seed = (uint64_t)i;
        used = 0;
        length = 0;
        t = draw_tree("ribs"[draw(4)], 5);
        write_tree(t, 0);
        if (length >= TEXT_MAX - 1)
            continue;
        if (expr_parse(text, &draft, &fault) < 0)
            fail_msg("%s\n  is refused: %u: %s", text, (unsigned)fault.at, fault.text);
        e = expr_of(&draft);
        if (expr_bind(&e, &scope, &program, &fault) < 0)
            fail_msg("%s\n  is refused: %u: %s", text, (unsigned)fault.at, fault.text);
        tree_judge(t, &program);
        judged++;
        nodes += e.count;
    }
    print_message("%u expressions of %u nodes on average, %d rows each\n", judged, nodes / judged, ROWS);
    assert_true(judged > TREES * 9 / 10 && nodes / judged >= 8);
}

AFF_TEST_MAIN(random_expressions_give_what_a_walk_over_their_tree_gives)
