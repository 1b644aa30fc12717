#!/bin/sh
# reload.sh - see reload.py.
exec python3 -B "${0%.sh}.py" "$@"
