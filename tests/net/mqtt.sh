#!/bin/sh
# mqtt.sh - see mqtt.py.
exec python3 -B "${0%.sh}.py" "$@"
