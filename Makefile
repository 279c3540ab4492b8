# What a person types. Nothing to prepare: the first use makes .venv from the lock files.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
FLOORS := domain store store/tables activities workflows api
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help run test check lint types contract bench chaos migrate doctor column test-containers replay-record lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1 \2/' | while read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

run: $(RUN_READY) ## start everything on this machine; Ctrl-C stops it
	@exec $(BIN)/switchboard up

test: $(DEV_READY) ## all tests
	$(BIN)/python -m pytest -m "not chaos and not containers" $(PYTEST_ARGS)

check: lint types contract test ## lint, types, import contract, tests

lint: $(DEV_READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_READY) ## mypy
	$(BIN)/mypy .

contract: $(DEV_READY) ## which floor may import which
	$(BIN)/lint-imports

bench: $(DEV_READY) ## load and comparison programs
	$(BIN)/python -m bench.all $(BENCH_ARGS)

chaos: $(DEV_READY) ## twenty rounds of kill -9 under load
	$(BIN)/python -m tests.chaos.run --rounds 20

test-containers: $(DEV_READY) ## tests that need a Docker engine
	TESTCONTAINERS_RYUK_DISABLED=true $(BIN)/python -m pytest -m containers tests/containers $(PYTEST_ARGS)

migrate: $(RUN_READY) ## bring the database's schema up to date
	@$(BIN)/switchboard migrate

doctor: $(RUN_READY) ## look for what would keep the platform from starting
	@$(BIN)/switchboard doctor

replay-record: $(DEV_READY) ## record workflow histories for the replay tests
	$(BIN)/python -m tests.replay.record

lock: ## write both lock files anew (needs uv)
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra dev --output-file requirements-dev.lock

column: ## make column NAME=transfers: an empty file for a new noun on every floor
	@case "$(NAME)" in ''|*[!a-z_]*) echo 'say which: make column NAME=transfers (a plural noun, a-z and _)' >&2; exit 2;; esac
	@for floor in $(FLOORS); do \
	  mkdir -p $$floor tests/$$floor; \
	  [ -e $$floor/$(NAME).py ] || printf '"""%s: what the %s floor knows of them."""\n' "$$(echo $(NAME) | tr _ ' ')" $$floor >$$floor/$(NAME).py; \
	  [ -e tests/$$floor/test_$(NAME).py ] || printf '"""%s on the %s floor."""\n' "$$(echo $(NAME) | tr _ ' ')" $$floor >tests/$$floor/test_$(NAME).py; \
	done
	@ls $(FLOORS:%=%/$(NAME).py) $(FLOORS:%=tests/%/test_$(NAME).py)

clean: ## remove .venv and caches; data in .data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info

# --- .venv -----------------------------------------------------------------------------------------------------------

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo '$(PYTHON) is missing: apt install python3 python3-venv' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '$(PYTHON) is older than 3.11: set PYTHON, as in PYTHON=python3.11 make run' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo '$(PYTHON) lacks venv: apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN_READY): requirements.lock pyproject.toml | $(BIN)/python
	@$(call install,requirements.lock)
	@touch $@

$(DEV_READY): requirements-dev.lock pyproject.toml | $(BIN)/python
	@$(call install,requirements-dev.lock)
	@touch $@

# uv where it is at hand (seconds), else pip. Only what the lock names, only with the hashes it names.
define install
echo "installing $(1) into $(VENV)" >&2; \
{ command -v uv >/dev/null && uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r $(1); } \
  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(1) || exit 1; \
{ command -v uv >/dev/null && uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; } \
  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endef
