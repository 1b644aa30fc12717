#!/bin/sh
# mail.sh - see mail.py.
exec python3 -B "${0%.sh}.py" "$@"
