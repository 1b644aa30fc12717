#!/bin/sh
# syslog.sh - see syslog.py.
exec python3 -B "${0%.sh}.py" "$@"
