#!/bin/sh
# ward.sh - see ward.py.
exec python3 -B "${0%.sh}.py" "$@"
