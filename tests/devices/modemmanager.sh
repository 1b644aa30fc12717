#!/bin/sh
# modemmanager.sh - see modemmanager.py.
exec python3 -B "${0%.sh}.py" "$@"
