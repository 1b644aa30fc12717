# tests/fuzz.mk - bounded fuzz runs, included by each folder with fuzz_targets.
#
# Without --enable-fuzz the targets are driven by tests/fuzz/standalone.c and
# take the same arguments as under libFuzzer. Seeds of fuzz_x lie in a folder
# seeds/fuzz_x somewhere below the source of this one.

EXTRA_PROGRAMS = $(fuzz_targets)
CLEANFILES = $(fuzz_targets)
FUZZ_RUNS = 20000
FUZZ_SECONDS = 20

fuzz: $(fuzz_targets)
	@set -e; for t in $(fuzz_targets); do \
	    rm -rf "fuzz-work/$$t"; mkdir -p "fuzz-work/$$t"; \
	    seeds=`find '$(abs_srcdir)' -type d -path "*/seeds/$$t" 2>/dev/null`; \
	    echo "fuzz $$t"; \
	    ( cd "fuzz-work/$$t" && mkdir new && timeout -k 5 `expr $(FUZZ_SECONDS) \* 3 + 60` \
	      "$(abs_builddir)/$$t" -runs=$(FUZZ_RUNS) -max_total_time=$(FUZZ_SECONDS) -seed=1 -max_len=65536 \
	      -timeout=10 -rss_limit_mb=2048 new $$seeds ) > "fuzz-work/$$t/log" 2>&1 || { \
	        tail -n 60 "fuzz-work/$$t/log"; \
	        echo "fuzz $$t: failed; its input is in `pwd`/fuzz-work/$$t"; exit 1; }; \
	    tail -n 1 "fuzz-work/$$t/log"; \
	done

clean-local: clean-fuzz
clean-fuzz:
	rm -rf fuzz-work

.PHONY: fuzz clean-fuzz
