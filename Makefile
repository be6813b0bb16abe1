# Everything runs in .venv, which is made from requirements.lock, and made anew only when that file changes.

PYTHON ?= python3
UV ?= uv
WORKERS ?= 2
SEED ?= 1
LINES ?= 100000
KILLS ?= 200
BIN := .venv/bin
LOCKED := .venv/.locked
READY := .venv/.ready
ASSETS := .venv/.assets
CONSOLE := src/unbidden/console

.DEFAULT_GOAL := help
.PHONY: help demo test lab spark check evaluate bench kills fuzz docs format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) $(ASSETS) ## Set up, then find the attacks in the logs of a simulated company
	$(BIN)/unbidden demo $(ARGS)

test: $(READY) $(ASSETS) ## Run the tests; those that could not run are listed with the reason
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

lab: $(READY) ## Run the tests against real servers alone: privacyIDEA and FreeRADIUS, in .lab
	$(BIN)/pytest --durations=3 tests/lab $(ARGS)

spark: $(READY) ## Read a lake with Spark and Sail, set up in .lab from half a gigabyte of packages; needs Java 17
	UNBIDDEN_SPARK=1 $(BIN)/pytest -n 0 tests/lake/test_spark.py $(ARGS)

check: $(READY) ## Lint, check the format, the types, the direction of imports and the reference pages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/docs.py --check

evaluate: $(READY) ## Judge the detections and published ones on simulated companies, held to evaluation.toml
	$(BIN)/unbidden evaluate --budget evaluation.toml --compare --plot docs/evaluation.svg -o evaluation.json $(ARGS)

bench: $(READY) ## Measure how long the stages take, and what the running service keeps up with
	$(BIN)/python tools/bench.py $(ARGS)
	$(BIN)/python tools/bench_live.py

kills: $(READY) ## Kill the running service at random instants: KILLS=200
	UNBIDDEN_KILLS=$(KILLS) $(BIN)/pytest -n 0 tests/live/test_server.py -k killed $(ARGS)

fuzz: $(READY) ## Read many damaged rows: LINES=100000 SEED=1
	UNBIDDEN_FUZZ_LINES=$(LINES) UNBIDDEN_FUZZ_SEED=$(SEED) $(BIN)/pytest -n $(WORKERS) tests/test_fuzz.py $(ARGS)

docs: $(READY) ## Write the reference pages anew
	$(BIN)/python tools/docs.py

format: $(READY) ## Put the code into its format, and mend what the linter can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

lock: ## Write requirements.lock, the lab's and Spark's anew (needs uv; ARGS=--upgrade takes newer releases)
	$(UV) pip compile --quiet --universal --python-version 3.11 --group dev --generate-hashes \
		--custom-compile-command 'make lock' --output-file requirements.lock $(ARGS) pyproject.toml
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file tests/lab/privacyidea.lock $(ARGS) tests/lab/privacyidea.in
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file tests/lake/spark.lock $(ARGS) tests/lake/spark.in

clean: ## Remove everything that was made, .venv too
	rm -rf .venv .lab tests/kusto/node_modules $(CONSOLE)/node_modules $(CONSOLE)/static/vendor build dist demo bench evaluation.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "unbidden needs Python 3.11 or newer, and $(PYTHON) is not: name another one with make PYTHON=..." >&2; exit 1; }
	@echo "Setting up .venv; this is done once."
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

$(READY): pyproject.toml $(LOCKED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(ASSETS): $(CONSOLE)/package-lock.json tools/assets.py $(READY)
	$(BIN)/python tools/assets.py
	@touch $@
