#!/bin/sh
# modem_soak.sh - see modem_soak.py.
exec python3 -B "${0%.sh}.py" "$@"
