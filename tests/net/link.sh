#!/bin/sh
# link.sh - see link.py.
exec python3 -B "${0%.sh}.py" "$@"
