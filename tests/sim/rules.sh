#!/bin/sh
# rules.sh - the checker of traces accepts right ones of the model and refuses wrong ones.
set -u
command -v python3 >/dev/null 2>&1 || { echo "SKIP rules.sh: python3 is not there"; exit 77; }
exec python3 -B "$AFFERENT_SRCDIR/tests/sim/conform.py" --try "$AFFERENT_BUILDDIR/tests/sim_epochs"
