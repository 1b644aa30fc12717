#!/bin/sh
# in_http.sh - see in_http.py.
exec python3 -B "${0%.sh}.py" "$@"
