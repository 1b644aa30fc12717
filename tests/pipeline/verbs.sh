#!/bin/sh
# verbs.sh - see verbs.py.
exec python3 -B "${0%.sh}.py" "$@"
