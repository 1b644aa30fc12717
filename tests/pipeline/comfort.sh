#!/bin/sh
# comfort.sh - see comfort.py.
exec python3 -B "${0%.sh}.py" "$@"
