#!/bin/sh
# mistakes.sh - see mistakes.py.
exec python3 -B "${0%.sh}.py" "$@"
