# The front door. Everything here is a short script in scripts/ or a CMake preset; see CONTRIBUTING.md.

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 30
STRESS_SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help prepare demo test test-core test-tools test-python test-node test-java asan tsan memory fuzz coverage bench lint format rows generate abi-baseline install clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

prepare: ## install what the machine lacks (as root), build the bundled libraries
	@scripts/bootstrap.sh
	@scripts/deps.sh

demo: prepare ## see it work: the provider emulator and clients in every language
	@scripts/demo.sh

test: prepare ## build everything and run all tests (core, C ABI, tools, Python, Node, Java)
	@scripts/test.sh

test-core: prepare ## C++ and C tests only
	@scripts/test.sh core

test-tools: prepare ## tests of the fleetauth command only
	@scripts/test.sh tools

test-python: prepare ## Python tests only
	@scripts/test.sh python

test-node: prepare ## Node tests only
	@scripts/test.sh node

test-java: prepare ## Java tests only
	@scripts/test.sh java

asan: prepare ## C++ and C tests under address and undefined-behaviour sanitizers
	@scripts/test.sh core asan-ubsan

tsan: prepare ## C++ and C tests under the thread sanitizer, the stress tests for STRESS_SECONDS=60 each
	@FLEETAUTH_STRESS_SECONDS=$(STRESS_SECONDS) scripts/test.sh core tsan

memory: prepare ## want of memory: each allocation of ours, of libcurl and of OpenSSL fails in turn, in every flow
	@scripts/test.sh memory

fuzz: prepare ## every fuzz target for FUZZ_SECONDS=30 each
	@FUZZ_SEED=$(FUZZ_SEED) scripts/fuzz.sh $(FUZZ_SECONDS)

coverage: prepare ## line and branch coverage of the core, in build/coverage/report
	@scripts/coverage.sh

bench: prepare ## figures: limit, ours, ratio, spread
	@scripts/bench.sh

lint: prepare ## formatting and static checks of every language; CHECK=cpp-tidy for one of them
	@scripts/lint.sh $(CHECK)

format: ## format the sources in place
	@scripts/lint.sh --fix

rows: ## which faults the tests cover
	@scripts/rows.py

generate: ## make the generated code again from the API description and the provider descriptors
	@scripts/generate.sh

abi-baseline: ## make today's C ABI the one that abi.baseline compares with
	@capi/abi/baseline.sh update build/abi-baseline

install: prepare ## install command, emulator, header, library, pkg-config and CMake packages into PREFIX=/usr/local
	cmake --preset release -DFLEETAUTH_BUILD_TESTS=OFF -DFLEETAUTH_BUILD_BENCH=OFF -B build/install
	cmake --build build/install --target fleetauth fleetauth-command fleetauth-emulator
	cmake --install build/install --prefix "$(PREFIX)" --strip

clean: ## remove every build result (the bundled libraries and environments too)
	rm -rf build
