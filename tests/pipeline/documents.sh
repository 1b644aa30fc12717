#!/bin/sh
# documents.sh - what the documents say is so: the tutorial is done as it stands,
# the README's pipeline is accepted, the reference pages are what the tables say.
set -eu
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
ln -s "$AFFERENT" "$bin/afferent"
PATH=$bin:$PATH
export PATH
docs=$AFFERENT_SRCDIR/docs

AFFERENT_PIPELINES=$AFFERENT_SRCDIR/pipelines
export AFFERENT_PIPELINES
unset AFFERENT_KEY AFFERENT_ARCHIVE

for tutorial in first-pipeline bedside; do
    python3 "$AFFERENT_SRCDIR/tests/pipeline/tutorial.py" "$docs/tutorials/$tutorial.md"
done
python3 "$AFFERENT_SRCDIR/tests/pipeline/guides.py"
# shellcheck disable=SC2016 # a pattern
sed -n '/^```toml$/,/^```$/{/^```/d;p;}' "$AFFERENT_SRCDIR/README.md" >"$bin/first.toml"
test "$(grep -c . "$bin/first.toml")" -eq 12
afferent check "$bin/first.toml"
"$AFFERENT_SRCDIR/scripts/reference" "$AFFERENT_BUILDDIR" --check
