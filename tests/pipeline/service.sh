#!/bin/sh
# service.sh - see service.py.
exec python3 -B "${0%.sh}.py" "$@"
