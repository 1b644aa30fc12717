#!/bin/sh
# runs.sh - see runs.py.
exec python3 -B "${0%.sh}.py" "$@"
