# Every command of a developer and of the CI. Needs python3 (3.11 or newer), pip and make;
# all else goes to .tools, .venv and node_modules.

PYTHON ?= python3
# `make test` fails under this branch coverage of the facade, in percent.
COVERAGE ?= 100
# How long `make soak` takes, about.
SECONDS ?= 600
# Handed to pytest: make test ARGS="-k money -x"
ARGS ?=
UV_VERSION := 0.13.9

BIN := .venv/bin
UV := .tools/bin/uv
UV_STAMP := .tools/.uv-$(UV_VERSION)
SETUP := .venv/.stamp
NODE_SETUP := node_modules/.stamp
# `pyright --verifytypes` sees an activated environment only.
ACTIVATED := VIRTUAL_ENV="$(CURDIR)/.venv" PATH="$(CURDIR)/.venv/bin:$$PATH"

export UV_PYTHON_DOWNLOADS := never
# pyright and redocly ask for newer versions of themselves, and redocly reports its use.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export REDOCLY_SUPPRESS_UPDATE_NOTICE := true
export REDOCLY_TELEMETRY := off
# The time in the archives: the same source gives the same bytes.
export SOURCE_DATE_EPOCH := 1577836800

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup lock generate check-generated lint-contract lint format types arrows test planted-faults soak mutation wheel \
	build check-wheel demo check clean

help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-17s %s\n", $$1, $$2 }'

setup: $(SETUP) ## Set up .tools and .venv (every other target does it by itself)

$(UV_STAMP):
	@echo "Setting up .tools (uv $(UV_VERSION)) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.13 ...")'
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --upgrade --target .tools "uv==$(UV_VERSION)"
	@rm -f .tools/.uv-* && touch $@

# The version is part of the installed metadata.
$(SETUP): $(UV_STAMP) requirements-dev.txt pyproject.toml nous_billing/_version.py
	@echo "Setting up .venv ..."
	@test -x $(BIN)/python || $(UV) venv --quiet --allow-existing --python "$(PYTHON)" .venv
	@$(UV) pip sync --quiet --python .venv --require-hashes requirements-dev.txt
	@$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --refresh-package nous-billing -e .
	@touch $@

# The node of the environment, whether or not the machine has one.
$(NODE_SETUP): $(SETUP) package.json package-lock.json .npmrc
	@echo "Setting up node_modules ..."
	@$(ACTIVATED) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --silent
	@touch $@

lock: $(SETUP) ## Resolve the development tools anew: requirements-dev.txt, package-lock.json (ARGS=--upgrade for newer versions)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile pyproject.toml --extra mock --group dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links $(ARGS) \
		--quiet -o requirements-dev.txt
	@$(ACTIVATED) npm install --package-lock-only --no-audit --no-fund --loglevel=error

generate: $(SETUP) ## Rebuild generated/ and the mock's copy of the contract from openapi/
	@$(BIN)/python scripts/generate.py

check-generated: $(SETUP) ## Fail when what `make generate` would write differs by a byte
	@$(BIN)/python scripts/generate.py --check

lint-contract: $(NODE_SETUP) ## Lint the OpenAPI contract, no warning allowed
	@$(ACTIVATED) node node_modules/@redocly/cli/bin/cli.js lint

lint: $(SETUP) ## Lint the Python code and check its format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: $(SETUP) ## Format the Python code and fix what can be fixed
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

types: $(SETUP) ## mypy and pyright, both strict, and complete types of the public surface
	@$(ACTIVATED) mypy $(wildcard nous_billing tests examples benchmarks scripts)
	@$(ACTIVATED) pyright
	@$(ACTIVATED) pyright --verifytypes nous_billing --ignoreexternal

arrows: $(SETUP) ## Check which module may import which
	@$(BIN)/lint-imports --no-logo

# Not pytest-cov: the mock's pytest plugin imports the package before that would start to count. A module's tests stay
# on one worker: some count together.
test: $(SETUP) ## All tests and doctests on all cores, with branch coverage of the facade
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n auto --dist loadfile $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=$(COVERAGE)

planted-faults: $(SETUP) ## Plant known faults in a copy, and fail unless the tests find each of them
	@$(BIN)/python scripts/planted_faults.py

soak: $(SETUP) ## Hold the properties for random examples, for about SECONDS=600
	@$(BIN)/python scripts/soak.py $(SECONDS)

mutation: $(SETUP) ## Mutation tests of the facade, which take hours; writes docs/mutation.md
	@$(ACTIVATED) python scripts/mutation.py

wheel: $(SETUP) ## Build the sdist and the wheel into dist/
	@rm -rf dist
	@output=$$($(BIN)/python -m build --no-isolation 2>&1) || { echo "$$output"; exit 1; }
	@$(BIN)/check-wheel-contents dist/*.whl
	@ls dist

build: wheel ## The same as wheel

check-wheel: wheel ## Install the wheel into a fresh environment and buy from its mock there
	@$(BIN)/python scripts/check_wheel.py

demo: $(SETUP) ## Watch a purchase against the mock portal
	@$(BIN)/python examples/demo.py

check: check-generated lint-contract lint types arrows check-wheel ## Everything but the tests

clean: ## Remove all that make made
	@rm -rf .tools .venv node_modules dist build .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.schemathesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
