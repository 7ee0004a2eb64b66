# Hubledger. One non-recursive file: every .c found in a folder is built, no list to edit.
#   make                  build/release/ : hubledgerd, hubledger, hubledger-verify
#   make VARIANT=asan     the same under build/asan/; variants: release asan cov clang fuzz
#   make help             the targets
VARIANT ?= release
B := build/$(VARIANT)

CC := gcc
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Werror
HARDEN := -fstack-protector-strong -fPIE
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
OPT := -O2 -g
LINK := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
SANITIZE :=
FUZZER := tests/fuzz/replay.c # gives main() to the fuzz targets: replays corpus files
ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

ifeq ($(VARIANT),release)
else ifeq ($(VARIANT),asan)
OPT := -O1 -g
FORTIFY := # the sanitizer checks the same calls itself
SANITIZE := $(ASAN)
else ifeq ($(VARIANT),cov)
OPT := -O0 -g
FORTIFY := # needs optimisation
SANITIZE := --coverage
else ifeq ($(VARIANT),clang)
CC := clang
else ifeq ($(VARIANT),fuzz)
CC := clang
FORTIFY :=
SANITIZE := -fsanitize=fuzzer-no-link $(ASAN)
FUZZER := tests/fuzz/libfuzzer.c
else
$(error VARIANT=$(VARIANT): one of release asan cov clang fuzz)
endif

CPPFLAGS += -Iinclude -I. $(FORTIFY)
ALL_CFLAGS = -std=c11 $(OPT) $(WARN) $(HARDEN) $(SANITIZE) -pthread $(CFLAGS)
ALL_LDFLAGS = $(LINK) $(SANITIZE) -pthread $(LDFLAGS)
LIBS = $(shell pkg-config --libs libsodium nettle lmdb libzmq libmicrohttpd jansson libconfuse libcurl)

# ---- sources. Archives, so that each program takes the members it refers to and no others.
LEDGER_SRC := $(wildcard crypto/*.c ledger/*.c consensus/*.c node/assert.c)
NODE_SRC := $(filter-out node/main.c node/assert.c,$(wildcard node/*.c))
VERIFY_SRC := $(wildcard tools/verify*.c)
TOOLS_SRC := $(filter-out tools/hubledger.c $(VERIFY_SRC),$(wildcard tools/*.c))
SUPPORT_SRC := $(wildcard tests/support/*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)
SIM_SRC := $(wildcard tests/sim/*.c)
EXHAUSTIVE_SRC := $(wildcard tests/exhaustive/*.c)
TWINS_SRC := $(wildcard tests/twins/*.c)
BENCH_SRC := $(wildcard tests/bench/*.c)
STORAGE_SRC := $(wildcard tests/storage/*.c)
FUZZ_SRC := $(filter-out tests/fuzz/replay.c tests/fuzz/libfuzzer.c,$(wildcard tests/fuzz/*.c))

obj = $(patsubst %.c,$(B)/%.o,$(1))
LEDGER_A := $(B)/libhubledger.a
NODE_A := $(B)/libhubnode.a
TOOLS_A := $(B)/libhubtools.a
SUPPORT_A := $(B)/libtestsupport.a
ARCHIVES := $(TOOLS_A) $(NODE_A) $(LEDGER_A)

# A program is built once its sources exist.
PROGRAMS := $(if $(wildcard node/main.c),$(B)/hubledgerd) \
	$(if $(wildcard tools/hubledger.c),$(B)/hubledger) $(if $(VERIFY_SRC),$(B)/hubledger-verify)
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))
TESTS := $(if $(UNIT_SRC),$(B)/unit-tests) $(if $(SIM_SRC),$(B)/sim) $(B)/twins $(B)/exhaustive $(B)/liar $(FUZZERS) \
	$(if $(filter asan,$(VARIANT)),,$(B)/powercut $(B)/fault_at.so) # the sanitizer wants the C library's names for itself

.PHONY: all tests fuzzers deps test demo bench check test-interop coverage format install clean help
.PHONY: sim sim-campaign sim-idle sim-speed twins campaign fuzz powercut killpoints chaos
.PHONY: check-exhaustive
all: $(LEDGER_A) $(PROGRAMS)
tests: all $(TESTS)
fuzzers: $(FUZZERS)

# ---- rules. System interfaces beyond C11 belong to node, tools, tests and the key file only.
POSIX := node/% tools/% tests/% crypto/keyfile.c
$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(if $(filter $(POSIX),$<),-D_DEFAULT_SOURCE=) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LEDGER_A): $(call obj,$(LEDGER_SRC))
$(NODE_A): $(call obj,$(NODE_SRC))
$(TOOLS_A): $(call obj,$(TOOLS_SRC))
$(SUPPORT_A): $(call obj,$(SUPPORT_SRC))
$(B)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $(filter %.o,$^)

comma := ,
link = $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(1) $(LIBS)
$(B)/hubledgerd: $(call obj,node/main.c $(NODE_SRC)) $(LEDGER_A)
	$(call link)
$(B)/hubledger: $(call obj,tools/hubledger.c $(TOOLS_SRC)) $(NODE_A) $(LEDGER_A)
	$(call link)
$(B)/hubledger-verify: $(call obj,$(VERIFY_SRC)) $(ARCHIVES)
	$(call link)
$(B)/unit-tests: $(call obj,$(UNIT_SRC)) $(SUPPORT_A) $(ARCHIVES)
	$(call link,-lcriterion)
$(B)/sim: $(call obj,$(SIM_SRC)) $(SUPPORT_A) $(NODE_A) $(LEDGER_A) # tests/sim/sign.c hides crypto/sign.c
	$(call link)
$(B)/powercut: $(call obj,$(STORAGE_SRC)) $(SUPPORT_A) $(NODE_A) $(LEDGER_A) # disk_log.c hides the C library's writes
	$(call link,-Wl$(comma)--wrap=hub_verify)
$(B)/exhaustive: $(call obj,$(EXHAUSTIVE_SRC)) $(LEDGER_A)
	$(call link)
$(B)/twins: $(call obj,$(TWINS_SRC)) $(SUPPORT_A) $(LEDGER_A)
	$(call link)
$(B)/liar: $(call obj,tests/e2e/liar.c) $(NODE_A) $(LEDGER_A)
	$(call link)
$(B)/fault_at.so: tests/storage/preload/fault_at.c # LD_PRELOADed into real nodes
	$(CC) -std=c11 $(OPT) $(WARN) -fPIC -shared -o $@ $<
$(B)/bench: $(call obj,$(BENCH_SRC)) $(SUPPORT_A) $(ARCHIVES)
	$(call link)
$(FUZZERS): $(B)/fuzz/%: $(B)/tests/fuzz/%.o $(call obj,$(FUZZER)) $(SUPPORT_A) $(ARCHIVES)
	@mkdir -p $(@D)
	$(call link,$(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer))

-include $(patsubst %.c,$(B)/%.d,$(LEDGER_SRC) $(NODE_SRC) $(VERIFY_SRC) $(TOOLS_SRC) $(SUPPORT_SRC) \
	$(UNIT_SRC) $(SIM_SRC) $(TWINS_SRC) $(EXHAUSTIVE_SRC) $(BENCH_SRC) $(STORAGE_SRC) $(FUZZ_SRC) $(FUZZER) node/main.c tools/hubledger.c tests/e2e/liar.c)

# ---- what people run
deps:
	scripts/deps.sh build test

test:
	scripts/deps.sh build test
	$(MAKE) -j$$(nproc) tests VARIANT=release
	$(MAKE) -j$$(nproc) tests VARIANT=asan
	scripts/test.sh

demo:
	scripts/deps.sh build demo
	$(MAKE) -j$$(nproc) all VARIANT=release
	scripts/demo.sh

bench:
	scripts/deps.sh build demo
	$(MAKE) all build/release/bench VARIANT=release
	scripts/bench.sh

# As every target that people run: a fresh machine has neither the packages nor the program.
BUILT = scripts/deps.sh build test && $(MAKE) -j$$(nproc)
SEEDS ?= 200
sim:
	$(BUILT) $(B)/sim
	$(B)/sim $(if $(V),-v) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

# Failures are cut down and kept in build/found/, in the form of tests/regress/.
sim-campaign:
	$(BUILT) $(B)/sim
	$(B)/sim --commit $$(git rev-parse --short HEAD 2>/dev/null || echo unknown) --keep build/found --from $(FROM) --campaign $(MINUTES)
FROM ?= $(shell date +%s)000

# The three campaigns of docs/assurance.md, within MINUTES.
campaign:
	scripts/deps.sh build test
	$(MAKE) -j$$(nproc) build/release/sim build/release/twins build/release/powercut VARIANT=release
	scripts/campaign.sh $(MINUTES)

# An idle ledger over weeks; how fast simulating goes.
DAYS ?= 14
sim-idle:
	$(BUILT) $(B)/sim
	$(B)/sim --idle $(DAYS)
sim-speed:
	$(BUILT) $(B)/sim
	$(B)/sim --speed

twins:
	$(BUILT) $(B)/twins
	$(B)/twins --minutes $(MINUTES)

check:
	scripts/deps.sh build test check
	scripts/check.sh

check-exhaustive:
	$(BUILT) $(B)/exhaustive
	$(B)/exhaustive full $(MINUTES)
	tests/exhaustive/controls.sh $(B)

.PHONY: check-spin mutants
check-spin:
	scripts/deps.sh build check
	tests/model/check.sh build

JOBS ?= 2
mutants:
	scripts/deps.sh build test mutants
	tests/mutants/run.py --minutes $(MINUTES) --jobs $(JOBS) --only '$(ONLY)'

test-interop:
	scripts/deps.sh build interop
	$(MAKE) -j$$(nproc) all VARIANT=release
	tests/interop/run.sh

MINUTES ?= 5
fuzz:
	scripts/deps.sh build check
	$(MAKE) fuzzers VARIANT=fuzz
	scripts/fuzz.sh $(MINUTES)

powercut:
	$(BUILT) $(B)/powercut
	$(B)/powercut --seconds $$(($(MINUTES) * 60))
	$(B)/powercut --errors --seconds $$(($(MINUTES) * 10))
	$(B)/powercut --flips --seconds $$(($(MINUTES) * 20))
	$(B)/powercut --lie --every 40

killpoints:
	scripts/deps.sh build test
	$(MAKE) -j$$(nproc) all build/release/fault_at.so VARIANT=release
	tests/storage/killpoints.py --minutes $(MINUTES)

chaos:
	scripts/deps.sh build test chaos
	$(MAKE) -j$$(nproc) all VARIANT=release
	tests/chaos/standing.py
	tests/chaos/chaos.py --minutes $(MINUTES)
	tests/storage/full.py --volume
	tests/chaos/recovery_times.py

coverage:
	scripts/deps.sh build test check
	$(MAKE) tests VARIANT=cov
	build/cov/unit-tests
	gcovr --root . --object-directory build/cov --filter 'crypto/|ledger/|consensus/|node/|tools/' --sort-percentage

format:
	clang-format -i $(wildcard include/hub/*.h $(foreach d,crypto ledger consensus node tools tests/*,$(d)/*.[ch]))

PREFIX ?= /usr/local
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include/hub
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(LEDGER_A) $(DESTDIR)$(PREFIX)/lib
	install -m 644 include/hub/*.h $(DESTDIR)$(PREFIX)/include/hub

clean:
	rm -rf build

help:
	@echo 'make             build the three programs into build/release/ (VARIANT=asan|cov|clang|fuzz)'
	@echo 'make deps        install the packages that are missing (Debian 12)'
	@echo 'make test        everything that must hold: unit tests, purity, simulator, end-to-end'
	@echo 'make demo        four nodes, one agreement, pilot payments, an audit; KEEP=1 leaves them running'
	@echo 'make bench       measure throughput and finality on this machine'
	@echo 'make check       clang build, clang-tidy, cppcheck, formatting'
	@echo 'make check-exhaustive  every state of small clusters of the real core; MINUTES=5'
	@echo 'make check-spin  the voting rules alone, in Spin: what holds and what must fork; 5 minutes'
	@echo 'make mutants     plants bugs and tells which test kills each; MINUTES=5, ONLY=regular expression'
	@echo 'make sim         simulated clusters; SEEDS=200, or SEED=17 V=1 for one with its log'
	@echo 'make sim-campaign  as many seeds as there is time for on all cores; MINUTES=5, FROM='
	@echo 'make sim-idle, sim-speed  idle days stay small (DAYS=14); an hour of work, timed'
	@echo 'make campaign    within MINUTES=5: simulator, then power cuts with twins beside them'
	@echo 'make twins       validators that run twice (arXiv 2004.10617); MINUTES=5'
	@echo 'make fuzz        libFuzzer on every decoder; MINUTES=5 each'
	@echo 'make powercut    disks after a power cut at every write, and with every call failing; MINUTES=5'
	@echo 'make killpoints  real nodes killed, or failed, at every call on their disk; MINUTES=5'
	@echo 'make chaos       real nodes in network namespaces under every fault, and a judge of histories; root; MINUTES=5'
	@echo 'make test-interop  records and receipts verified by libraries that are not ours'
	@echo 'make coverage, format, install (PREFIX, DESTDIR), clean'
