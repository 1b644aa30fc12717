#!/bin/sh
# device_care.sh - see device_care.py.
exec python3 -B "${0%.sh}.py" "$@"
