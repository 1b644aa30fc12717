#!/bin/sh
# delivery_verbs.sh - see delivery_verbs.py.
exec python3 -B "${0%.sh}.py" "$@"
