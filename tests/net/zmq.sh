#!/bin/sh
# zmq.sh - see zmq.py.
exec python3 -B "${0%.sh}.py" "$@"
