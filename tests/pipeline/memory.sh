#!/bin/sh
# memory.sh - see memory.py.
exec python3 -B "${0%.sh}.py" "$@"
