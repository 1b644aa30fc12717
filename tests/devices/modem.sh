#!/bin/sh
# modem.sh - see modem.py.
exec python3 -B "${0%.sh}.py" "$@"
