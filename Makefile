# Every target makes its own set-up: a virtual environment in .venv with the locked packages. See `make help`.

SHELL := /bin/sh
VENV ?= .venv
PYTHON ?= python3
ARGS ?=
WORKERS ?= 3
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
SOURCES := erpsync connectors migrations tests

.DEFAULT_GOAL := help
.PHONY: help setup demo run test outsiders stress lint format plans bench growth soak docs words lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo 'Options go in ARGS, for example: make demo ARGS="--seconds 20", make test ARGS="-k stock"'

setup: $(STAMP) ## the environment in .venv, which every other target makes by itself
	@echo '$(VENV) is set up; make help lists what can be made'

demo: $(STAMP) ## sandbox shops, a drop folder, the daemon and its console, in a temporary folder
	@$(BIN)/erpsync demo $(ARGS)

run: $(STAMP) ## the daemon with the configuration in config/ (or ERPSYNC_CONFIG)
	@$(BIN)/erpsync run $(ARGS)

test: $(STAMP) ## the whole test suite, on SQLite and PostgreSQL
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# A second environment, which holds what only connectors of others need; `make test` runs them in it where it is.
OUTSIDE := $(VENV)-outsiders
outsiders: $(OUTSIDE)/.set-up ## the environment for connectors of others, without which their tests skip

$(OUTSIDE)/.set-up: $(STAMP) requirements-outsiders.lock
	@$(BIN)/python -m venv --clear $(OUTSIDE)
	@echo 'installing by requirements-outsiders.lock'
	@$(OUTSIDE)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements-outsiders.lock
	@$(OUTSIDE)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@cp requirements-outsiders.lock $@

# In small portions, so that the first runs of all tests are done before the last ones of any.
stress: WORKERS = 8
stress: $(STAMP) ## what is concurrent many times over, beside busy cores, in 40 minutes at most
	@$(BIN)/python -m pytest --stress -n $(WORKERS) --dist load --maxschedchunk 4 $(ARGS)

# Its one package is in no environment but this one's that asked for it: neither the service nor the tests need it.
mutants: $(STAMP) ## break the code at random places, one at a time, and see whether the tests notice (an hour)
	@$(BIN)/python -c 'import cosmic_ray' 2>/dev/null || $(PIP) --quiet --require-hashes -r requirements-mutants.lock
	@$(BIN)/python -m tests.mutants $(ARGS)

lint: $(STAMP) ## style, formatting, types and import rules
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP) ## rewrite the sources in the house style
	$(BIN)/ruff check --fix-only $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

plans: $(STAMP) ## judge the plans of every statement that the last `make test` ran, on long histories
	@$(BIN)/python -m tests.plans $(ARGS)

bench: $(STAMP) ## orders per second, latency percentiles and memory, beside a raw-driver floor
	@$(BIN)/python -m tests.bench $(ARGS)

growth: $(STAMP) ## the same, pages and commands as history grows: a seeded database per size and engine, kept
	@$(BIN)/python -m tests.growth $(ARGS)

soak: $(STAMP) ## the tests at full size (takes long)
	@ERPSYNC_SOAK=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --timeout 7200 $(ARGS)

docs: $(STAMP) ## write docs/reference.md and the tables in docs/rules.md and tests/README.md
	@$(BIN)/python -m tests.support.reference --write
	@$(BIN)/python -m tests.support.rule_facts
	@$(BIN)/python -m tests.support.failures

words: $(STAMP) ## bring the catalogues of languages into step with the texts in the code
	@$(BIN)/python -m tests.languages.words

# Needs uv and nothing else of the set-up, which may fail on a lock that is behind pyproject.toml.
# Universal: one file that installs on Python 3.11, 3.12 and 3.13. Hashes, and no address: every machine has its own index.
# Four files: what a service needs, to build and to run it; the same versions with all that tests and tools need; what
# `make mutants` needs besides; and what connectors of others are tried with.
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --quiet \
  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

lock: ## choose the newest allowed versions anew and write the lock files
	@[ -x $(BIN)/uv ] || $(MAKE) $(STAMP)
	@{ echo '# Written by "make lock" from pyproject.toml: all that tests and tools need, every file by its hash.'; \
	   $(COMPILE) --extra build --extra notify --extra papers --extra test --extra dev --upgrade; } > $(VENV)/lock-dev
	@{ echo '# Written by "make lock" from pyproject.toml: what a service needs, every file by its hash.'; \
	   $(COMPILE) --extra build --constraints $(VENV)/lock-dev; } > $(VENV)/lock
	@{ echo '# Written by "make lock" from pyproject.toml: what make mutants needs, every file by its hash.'; \
	   $(COMPILE) --extra mutants --constraints $(VENV)/lock-dev; } > $(VENV)/lock-mutants
	@{ echo '# Written by "make lock" from pyproject.toml: what make outsiders needs, every file by its hash.'; \
	   $(COMPILE) --extra build --extra outsiders --constraints $(VENV)/lock-dev; } > $(VENV)/lock-outsiders
	@mv $(VENV)/lock-dev requirements-dev.lock && mv $(VENV)/lock requirements.lock
	@mv $(VENV)/lock-mutants requirements-mutants.lock && mv $(VENV)/lock-outsiders requirements-outsiders.lock
	@grep -c '==' requirements.lock requirements-dev.lock requirements-mutants.lock requirements-outsiders.lock

PIP = $(BIN)/python -m pip install --disable-pip-version-check
# One line that moves, for a terminal: what pip is at. It ends as pip did.
COUNT = '/^Collecting / { printf "\r\033[K  fetching %d of %d: %s", ++n, total, $$2; fflush() } \
  /^Installing collected/ { printf "\r\033[K  installing %d packages", n; fflush() } \
  /^exit / { code = $$2 } END { printf "\r\033[K"; exit code }'

# The first interpreter that is 3.11 or newer and can make environments. Version managers leave shims on PATH that
# answer with an error, so each candidate is tried, not looked up.
# The build backend is in the lock and isolation is off: building fetches nothing that has no hash.
$(STAMP): pyproject.toml requirements-dev.lock
	@for python in "$(PYTHON)" python3.13 python3.12 python3.11; do \
	   "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	   python=; \
	 done; \
	 if [ -z "$$python" ]; then \
	   echo 'make: no Python 3.11 or newer that can make a virtual environment.' >&2; \
	   echo '      On Debian and Ubuntu: apt install python3 python3-venv. Or name one: make PYTHON=/path/to/python3' >&2; \
	   exit 1; \
	 fi; \
	 echo "setting up $(VENV) with $$("$$python" -V)"; \
	 $(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV) && "$$python" -m venv $(VENV); }
	@total=$$(grep -c '==' requirements-dev.lock); \
	 echo "installing $$total packages by requirements-dev.lock, which takes a minute or two the first time"; \
	 if [ -t 1 ]; then \
	   { $(PIP) --progress-bar off --require-hashes -r requirements-dev.lock; echo "exit $$?"; } | awk -v total="$$total" $(COUNT); \
	 else \
	   $(PIP) --quiet --require-hashes -r requirements-dev.lock; \
	 fi
	@echo 'installing erpsync itself'
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@

