# tests/fuzz.mk - bounded fuzz runs, included by each folder with fuzz_targets.
#
# Without --enable-fuzz the targets are driven by tests/fuzz/standalone.c and
# take the same arguments as under libFuzzer. Seeds of fuzz_x lie in a folder
# seeds/fuzz_x somewhere below the source of this one.

EXTRA_PROGRAMS = $(fuzz_targets)
CLEANFILES = $(fuzz_targets)
FUZZ_RUNS = 20000
FUZZ_SECONDS = 20

fuzz: $(fuzz_targets:%=fuzz-work/%/log)

# Always run; with -j several at a time.
fuzz-work/%/log: % fuzz-again
	@rm -rf "fuzz-work/$*"; mkdir -p "fuzz-work/$*/new"; \
	seeds=`find '$(abs_srcdir)' -type d -path "*/seeds/$*" 2>/dev/null`; \
	( cd "fuzz-work/$*" && timeout -k 5 `expr $(FUZZ_SECONDS) \* 3 + 60` \
	  "$(abs_builddir)/$*" -runs=$(FUZZ_RUNS) -max_total_time=$(FUZZ_SECONDS) -seed=1 -max_len=65536 \
	  -timeout=10 -rss_limit_mb=2048 new $$seeds ) > "fuzz-work/$*/log" 2>&1 || { \
	    tail -n 60 "fuzz-work/$*/log"; \
	    echo "fuzz $*: failed; its input is in `pwd`/fuzz-work/$*"; exit 1; }; \
	sed -n "s/^Done \([0-9]*\) runs in \([0-9.]*\) second.*/fuzz $*: \1 runs, \2 s/p" "fuzz-work/$*/log"
fuzz-again:

clean-local: clean-fuzz
clean-fuzz:
	rm -rf fuzz-work

.PHONY: fuzz fuzz-again clean-fuzz
