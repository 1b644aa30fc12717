#!/bin/sh
# toml_suite.sh - the TOML 1.0.0 list of the toml-test suite against our reader.
exec python3 "$AFFERENT_SRCDIR/tests/unit/toml_suite.py" "$AFFERENT_BUILDDIR/tests/toml_json"
