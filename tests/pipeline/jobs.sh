#!/bin/sh
# jobs.sh - see jobs.py.
exec python3 -B "${0%.sh}.py" "$@"
