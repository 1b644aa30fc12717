#!/bin/sh
# monitor_serial.sh - see monitor_serial.py.
exec python3 -B "${0%.sh}.py" "$@"
