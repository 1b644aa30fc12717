#!/bin/sh
# modemmanager_faults.sh - see modemmanager_faults.py.
exec python3 -B "${0%.sh}.py" "$@"
