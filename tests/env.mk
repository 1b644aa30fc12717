# tests/env.mk - what every test is told, included by each folder with tests.
#
# AFFERENT_DATA stays the caller's; where it is unset the tests look beside the
# source root. Each test has 300 s: a hang is a failure with a name.

AM_TESTS_ENVIRONMENT = \
	AFFERENT_SRCDIR='$(abs_top_srcdir)'; export AFFERENT_SRCDIR; \
	AFFERENT_BUILDDIR='$(abs_top_builddir)'; export AFFERENT_BUILDDIR; \
	AFFERENT_PLUGIN_PATH='$(abs_top_builddir)/plugins/.libs'; export AFFERENT_PLUGIN_PATH; \
	AFFERENT='$(abs_top_builddir)/runtime/afferent'; export AFFERENT; \
	unset STATE_DIRECTORY RUNTIME_DIRECTORY;

TEST_EXTENSIONS = .sh
LOG_COMPILER = timeout
AM_LOG_FLAGS = -k 5 300
SH_LOG_COMPILER = timeout
AM_SH_LOG_FLAGS = -k 5 300
