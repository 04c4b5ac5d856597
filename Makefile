# One command for each thing that people do here. `make help` lists them.
SHELL := /bin/sh
BIN := .venv/bin
PYTHON_RUN := $(BIN)/python
ARGS ?=
MINUTES ?= 30
TESTS ?= tests
.DEFAULT_GOAL := help
.PHONY: help setup setup-test run tour test check lint types contracts matrix-check matrix format dist bench mutants evidence clean fuzz \
        test-suites test-engines test-applications test-places test-network test-strict

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 22

setup:  ## make .venv, install what is missing, build the native parts
	@.ci/bootstrap run

setup-test:
	@.ci/bootstrap test

run: setup  ## a tour in a sandbox; ARGS='host -- COMMAND...' runs that instead
ifeq ($(strip $(ARGS)),)
	@$(PYTHON_RUN) -m sandboxctl.tour
else
	@$(BIN)/sandboxctl run $(ARGS)
endif

test: setup-test check  ## lint, types, contracts and a sample of every test tier
	@$(PYTHON_RUN) -m pytest $(TESTS)

check: setup lint types contracts matrix-check  ## ruff, mypy --strict, import contracts, compatibility matrix fresh

lint:
	@$(BIN)/ruff check .
types:
	@$(BIN)/mypy
contracts:
	@$(BIN)/lint-imports --no-cache

matrix-check:
	@$(PYTHON_RUN) -m syscalls.compat --check

matrix: setup  ## write compat-matrix/ from the declarations and the tests
	@$(PYTHON_RUN) -m syscalls.compat

evidence: setup-test  ## run the differential programs that changed everywhere, record it, write compat-matrix/ (ARGS=--all: all)
	@$(PYTHON_RUN) -m tests.evidence $(ARGS)
	@$(PYTHON_RUN) -m syscalls.compat

format: setup  ## sort imports and apply ruff's safe fixes
	@$(BIN)/ruff check --fix --fixable I,UP,RUF100 .

dist: setup  ## a wheel in dist/ with the C core and the stub inside
	@rm -rf dist build
	@$(PYTHON_RUN) -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w dist .
	@ls dist/*.whl

bench: setup  ## the benchmarks; ratios to native, measured in one run
	@$(PYTHON_RUN) -m benchmarks $(ARGS)

mutants: setup-test  ## seeded one-line faults; at least 80 % must be caught
	@$(PYTHON_RUN) tests/mutants.py $(ARGS)

test-suites test-engines test-applications test-places test-network test-strict: setup-test  ## whole test tiers; each leaves a dated evidence file
	@$(PYTHON_RUN) tests/tiers.py $(@:test-%=%) $(ARGS)

fuzz: setup-test  ## hostile arguments of every call, then random sequences for MINUTES=30, natively and in the sandbox
	@SANDBOXCTL_FUZZ_MINUTES=$(MINUTES) $(PYTHON_RUN) -m pytest -q -s tests/fuzz $(ARGS)

clean:  ## remove everything that was made here
	rm -rf .venv .make build dist *.egg-info
	find sentry gofer sandboxctl syscalls tests -name __pycache__ -prune -exec rm -rf {} +
	find sentry gofer sandboxctl \( -name '*.so' -o -name "*.o" -o -name "*.stub" -o -name "*.guest" \) -exec rm -f {} +
