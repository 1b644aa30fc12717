#!/bin/sh
# golden.sh - each tests/golden/NAME.toml gives exactly NAME.expected.
#
# Directives in comments of a case: "# args: ..." for the command line, "# file:
# NAME" to check another name than the case's own. Cases run in a folder of
# their own, where key files have the permissions that the test is about.
# GOLDEN_UPDATE=1 writes the expected files anew: read the difference.
set -u
source=$AFFERENT_SRCDIR/tests/golden
# shellcheck disable=SC2034 # used by eval
program=${GOLDEN_CHECK:-$AFFERENT_BUILDDIR/tests/golden_check}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cp "$source"/*.toml "$source"/*.txt "$source"/*.key "$work" || exit 99
cd "$work" || exit 99
mkdir folder.toml
chmod 600 key_closed.txt ./*.key
chmod 644 key_open.txt store_open.key
unset AFFERENT_GOLDEN_UNSET
AFFERENT_GOLDEN_ORDER=6 AFFERENT_GOLDEN_BAD=no-number AFFERENT_GOLDEN_EMPTY=
export AFFERENT_GOLDEN_ORDER AFFERENT_GOLDEN_BAD AFFERENT_GOLDEN_EMPTY

count=0 failed=0
for case in "$source"/*.toml; do
    name=$(basename "$case" .toml)
    file=$(sed -n 's/^# file: //p' "$case")
    args=$(sed -n 's/^# args: //p' "$case")
    eval "\"\$program\" \"${file:-$name.toml}\" $args" >"$work/out" 2>&1
    echo "exit $?" >>"$work/out"
    count=$((count + 1))
    if grep -E 'sesame|123456789|no-number|a1b2c3' "$work/out"; then
        echo "FAIL $name: it prints a secret, or what came from outside"
        failed=$((failed + 1))
    fi
    if [ -n "${GOLDEN_UPDATE:-}" ]; then
        cp "$work/out" "$source/$name.expected"
    elif ! diff -u "$source/$name.expected" "$work/out"; then
        echo "FAIL $name"
        failed=$((failed + 1))
    fi
done
echo "golden: $count cases, $failed failed"
[ "$failed" -eq 0 ] && [ "$count" -gt 0 ]
