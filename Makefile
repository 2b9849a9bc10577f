# `make` lists the targets. Each one does the set-up it needs, once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build run test test-plain test-long test-servers test-kills conform world check bench services services-down firmware \
	fuzz clean

VENV := .venv
PY := $(VENV)/bin/python
# For what needs the standard library only, and so no set-up.
BARE := $(firstword $(wildcard $(PY)) python3)
# PYTHON=… wins. Of these the most suitable is taken, the first of equals (liftgate/build_info.py: headers to
# compile with, then an optimised build, as a distribution's usually is and a hand-built one often is not).
CANDIDATES := $(or $(PYTHON),/usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11)
JOBS := $(shell nproc 2>/dev/null || echo 2)
# Two makes in one tree take turns at building, where the system has flock.
LOCKED := $(if $(shell command -v flock),flock build/.lock)
# A module is compiled where a .pxd stands beside it.
PXD := $(shell find codecs engine gateways -name '*.pxd')
COMPILED := $(PXD) $(wildcard $(PXD:.pxd=.py))
# Long tests that wait for real servers and real seconds, more than they reckon.
SERVED := tests/relay tests/services tests/history/cassandra tests/cli tests/bench
# Packed modules only: no room at the top of the tree may be picked up in place of the installed ones.
PLAIN := build/plain

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.stamp ## Make .venv with everything in it (PYTHON=… chooses the interpreter)

build: build/.stamp ## Compile the modules that have a .pxd (plain Python serves where there is no compiler)

run: build ## Engine and simulated city on embedded defaults, with a live view
	$(VENV)/bin/liftgate up

test: build ## Quick tests on the compiled build
	$(PY) -m pytest -q -n $(JOBS)

test-plain: build $(PLAIN)/.stamp ## Quick tests on the uncompiled build, installed on its own
	cd $(PLAIN) && rm -rf tests deploy docs examples configs
	cp -R tests deploy docs examples pyproject.toml $(PLAIN)/
	mkdir $(PLAIN)/configs && cp configs/*.toml $(PLAIN)/configs/
	cd $(PLAIN) && PYTHONPATH="$$PWD" LIFTGATE_EXPECT_BUILD=plain ../../$(PY) -m pytest -q -n $(JOBS) -p no:cacheprovider

test-long: build ## Kill tests, real servers, long property runs: the two below side by side
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=line test-servers test-kills

test-servers: build ## Long tests with Cassandra, Kafka and others, the relay's and the commands'
	$(PY) -m pytest -q -m long --durations=6 $(SERVED)

test-kills: build ## All other long tests: kills, firmware, planted bugs, long property runs
	$(PY) -m pytest -q -m long --durations=6 $(SERVED:%=--ignore=%)

conform: build ## The conformance kit on this engine, and on the firmware's reader where it is built
	@if [[ -f firmware/Makefile && -e /usr/include/mbedtls/version.h && -e /usr/include/sodium.h ]]; then \
		$(MAKE) -C firmware --no-print-directory build/liftgate-reader; \
	fi
	$(PY) -m deploy.conform

world: build ## Fresh seeds of the simulated world (FOR=4m, or SEEDS=1..100); exit 1 with the story of one that fails
	$(VENV)/bin/liftgate sim world $(if $(SEEDS),--seeds $(SEEDS),--for $(or $(FOR),4m))

check: build ## Style, types and layering
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest -q tests/test_layering.py

bench: build ## Durable answers a second, against Redis and against the limit
	$(VENV)/bin/liftgate bench redis

services: ## Start real Cassandra, Kafka, PostgreSQL, Redis, mosquitto (ONLY="cassandra kafka", INSTALL=1)
	@$(BARE) -m deploy.services up $(ONLY) $(if $(INSTALL),--install)

services-down: ## Stop them and wait until they are gone; ports and data are kept for the next time
	@$(BARE) -m deploy.services down $(ONLY)

firmware: ## The C99 reader library and its programs: firmware/build/liftgate-reader (docs/firmware.md)
	$(MAKE) -C firmware

fuzz: ## libFuzzer over the reader library: its parser, its receive path, the recovery of its log (FUZZ_S=60 each)
	$(MAKE) -C firmware fuzz $(if $(FUZZ_S),FUZZ_S=$(FUZZ_S))

clean: ## Remove what was built and cached (.venv stays)
	rm -rf build firmware/build bench/bin *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find codecs engine gateways -name '*.so' -delete
	find . -path './.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.stamp: pyproject.toml constraints.txt setup.py
	@mkdir -p build
	@best= score=0; \
	for python in $(CANDIDATES); do \
		found=$$($$python liftgate/build_info.py --suitability 2>/dev/null) || continue; \
		if (( found > score )); then best=$$python score=$$found; fi; \
	done; \
	if [[ -z $$best ]]; then \
		echo "liftgate needs Python 3.11 or later that can make a venv" >&2; \
		echo "(Debian: apt install python3-venv python3-dev). Looked at: $(CANDIDATES)" >&2; exit 1; \
	fi; \
	(( score >= 5 )) || echo "liftgate: $$best has no headers (python3-dev): this will be the plain build"; \
	if [[ ! -x $(PY) || -n "$(PYTHON)" ]]; then $(LOCKED) $$best -m venv --clear $(VENV); fi
	$(LOCKED) $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt setuptools wheel cython
	LIFTGATE_PLAIN=1 $(LOCKED) $(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		--no-build-isolation -e '.[dev]'
	@touch $@

build/.stamp: $(VENV)/.stamp setup.py $(COMPILED)
	@mkdir -p build
	$(LOCKED) $(PY) setup.py --quiet build_ext --inplace --parallel $(JOBS)
	@$(PY) -m liftgate.build_info
	@touch $@

$(PLAIN)/.stamp: $(VENV)/.stamp $(shell find -L liftgate -name '*.py' -o -name '*.toml' -o -name '*.[ch]' -o -name '*.lua')
	rm -rf $(PLAIN) build/lib
	LIFTGATE_PLAIN=1 $(LOCKED) $(PY) -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --target $(PLAIN) .
	@touch $@
