#!/bin/sh
# queries.sh - see queries.py.
exec python3 -B "${0%.sh}.py" "$@"
