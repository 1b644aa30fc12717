#!/bin/sh
# plugin_verb.sh - `afferent plugin list|info` on the plugins of this build.
#
# Each info is asked in its three forms; JSON must be JSON, and name what the
# listing named. Exit codes are those of the manual.
set -u
afferent=${AFFERENT:-afferent}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failed=0

fail()
{
    echo "plugin_verb: $1" >&2
    failed=1
}

# expect CODE ARGUMENT...: output in $work/out and $work/err
expect()
{
    code=$1
    shift
    "$afferent" plugin "$@" > "$work/out" 2> "$work/err"
    got=$?
    test $got -eq "$code" || fail "plugin $*: exit code $got, expected $code: $(cat "$work/err")"
}

expect 0 list
test -s "$work/out" || fail "the listing is empty"
expect 0 list --json
python3 - "$work/out" > "$work/names" <<'PYTHON' || fail "list --json is no JSON"
import json, sys
for entry in json.load(open(sys.argv[1])):
    if entry["refusal"]:
        sys.exit(f"refused: {entry['refusal']}")
    print(entry["name"])
PYTHON
test -s "$work/names" || fail "list --json names no plugin"

while read -r name; do
    expect 0 info "$name"
    grep -q "^$name " "$work/out" || fail "info $name does not begin with the name"
    expect 0 info "$name" --markdown
    grep -q "^# $name\$" "$work/out" || fail "info $name --markdown has no title"
    grep -q "$PWD" "$work/out" && fail "info $name --markdown names a folder of this machine"
    expect 0 info "$name" --json
    python3 - "$work/out" "$name" <<'PYTHON' || fail "info $name --json is wrong"
import json, sys
page = json.load(open(sys.argv[1]))
assert page["name"] == sys.argv[2]
assert page["kind"] in ("source", "processor", "sink")
for option in page["options"]:
    assert option["name"] and option["doc"], option
    assert option["type"] != "enum" or option["choices"], option
PYTHON
done < "$work/names"

echo "this is no plugin" > "$work/op_broken.so"
expect 0 list --plugin-dir "$work"
grep -q "refused: .*op_broken.so: is not an ELF file" "$work/out" || fail "a broken file is not listed"
expect 2 info op_broken --plugin-dir "$work"
grep -q "is not an ELF file" "$work/err" || fail "info of a broken file does not say why"
first=$(head -n 1 "$work/names")
expect 2 info "${first}x"
grep -q "did you mean \"$first\"" "$work/err" || fail "no suggestion for ${first}x"
expect 2 info
expect 2 lost
expect 2
expect 2 info "$first" --json --markdown
expect 0 --help
exit $failed
