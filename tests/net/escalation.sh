#!/bin/sh
# escalation.sh - see escalation.py.
exec python3 -B "${0%.sh}.py" "$@"
