# op_where: selects, routes and derives rows by expressions.
pluginexec_LTLIBRARIES += op_where.la
op_where_expr = op_where/expr.h op_where/lexer.c op_where/lexer.h op_where/parse.c op_where/scope.c \
	op_where/bind.c op_where/bind.h op_where/bind_call.c op_where/ops.h op_where/run.c
op_where_la_SOURCES = op_where/op_where.c op_where/config.c op_where/plan.c op_where/plan.h \
	op_where/shape.c op_where/shape.h $(op_where_expr)
op_where_la_CFLAGS = $(AM_CFLAGS)
op_where_la_LIBADD = $(PLUGIN_LIBS) -lm

check_PROGRAMS += test_op_where_expr test_op_where_property test_op_where_shape test_op_where
test_op_where_expr_SOURCES = op_where/test_expr.c op_where/test_rows.h $(op_where_expr)
test_op_where_expr_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_where_expr_LDADD = $(TEST_LIBS)
test_op_where_property_SOURCES = op_where/test_property.c op_where/test_tree.h op_where/test_rows.h \
	$(op_where_expr)
test_op_where_property_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_where_property_LDADD = $(TEST_LIBS)
test_op_where_shape_SOURCES = op_where/test_shape.c
test_op_where_shape_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_where_shape_LDADD = $(TEST_LIBS)
test_op_where_SOURCES = op_where/test_op_where.c
test_op_where_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
test_op_where_LDADD = $(TEST_LIBS)

fuzz_targets += fuzz_op_where
fuzz_op_where_SOURCES = op_where/fuzz_expr.c op_where/test_rows.h $(op_where_expr)
EXTRA_DIST += op_where/seeds/fuzz_op_where/condition op_where/seeds/fuzz_op_where/text \
	op_where/seeds/fuzz_op_where/numbers
