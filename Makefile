# The verbs of this project. Each sets up .venv first; the second time that costs nothing.
#   make test PYTHON=python3.12 PYTEST_ARGS="-k signing"

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
LOCK_ARGS ?=

BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Compiled once: without that each of the hundreds of processes that the tests start would compile all that it loads.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help dev test faults check format bench soak lock build advisories clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

dev: $(READY) ## the whole network on this machine: registry, gateway, two hospitals, a patient; Ctrl-C ends it
	@$(BIN)/uhi dev

test: $(READY) ## the test suite
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not faults and not soak" $(PYTEST_ARGS)

faults: $(READY) ## crashes and hostile peers; finding no such test is a failure
	@$(BIN)/python -m pytest -m "faults and not soak" --override-ini faulthandler_timeout=600 $(PYTEST_ARGS)

soak: $(READY) ## the long runs
	@$(BIN)/python -m pytest -m soak --override-ini faulthandler_timeout=0 $(PYTEST_ARGS)

check: $(READY) ## format, lint, types, layers, generated pages and schemas
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	MYPYPATH=.:docs/snippets $(BIN)/mypy --config-file pyproject.toml --explicit-package-bases docs/generate.py docs/snippets examples
	$(BIN)/lint-imports
	$(if $(wildcard docs/generate.py),$(BIN)/python docs/generate.py --check)
	$(if $(wildcard schemas/generate.py),$(BIN)/python -m schemas.generate --check)

format: $(READY) ## rewrite the sources in the house's format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(READY) ## what a message costs, beside the bare minimum on the same machine
	@$(BIN)/python -m tests.bench

lock: ## resolve requirements-dev.lock again; LOCK_ARGS=--upgrade takes the newest releases
	@$(PYTHON) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@env -u UV_FIND_LINKS $(VENV)-lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	  --all-extras --group dev --no-emit-package uhi-network --generate-hashes \
	  --custom-compile-command "make lock" --output-file requirements-dev.lock $(LOCK_ARGS)

build: $(READY) ## wheel, source archive and SBOM (CycloneDX) in dist; needs no network
	@rm -rf dist
	@$(BIN)/python -m hatchling build -d dist
	@$(BIN)/python -m schemas.sbom
	@ls dist

advisories: $(READY) ## ask the network for known weaknesses of what is locked; 3 means it could not be asked
	@$(BIN)/python -m schemas.advisories requirements-dev.lock

clean: ## remove everything that these verbs made
	rm -rf $(VENV) $(VENV)-lock build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Python 3.11 or newer with its venv module is needed: sudo apt-get install python3 python3-venv make' >&2; \
	  echo '(another interpreter: make PYTHON=python3.12 ...)' >&2; exit 1; }
	@echo 'Setting up $(VENV); the first time takes about a minute.'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
