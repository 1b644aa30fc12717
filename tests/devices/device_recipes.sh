#!/bin/sh
# device_recipes.sh - see device_recipes.py.
exec python3 -B "${0%.sh}.py" "$@"
