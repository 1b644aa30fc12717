#!/bin/sh
# kept.sh - see kept.py.
exec python3 -B "${0%.sh}.py" "$@"
