# make help lists the targets.  Each does its own set-up, on a fresh machine too; a second call does
# nothing that is done already and uses no network.  Nothing is written outside this folder, but for
# the system packages.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# One stamp per place: the programs of an environment carry the path where it was made.
STAMP := $(VENV)/ready-$(shell pwd | cksum | cut -d' ' -f1)

export PYTHON
export PIP_NO_CACHE_DIR := 1
export XDG_CACHE_HOME := $(CURDIR)/$(VENV)/cache
export MPLCONFIGDIR := $(CURDIR)/$(VENV)/cache/matplotlib

FUZZ_SECONDS := 600
FUZZ_FILES := 100000
PYTEST := $(BIN)/pytest -p no:cacheprovider

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml setup.py constraints.txt scripts/venv.sh scripts/python.sh $(wildcard bench/native/*.c bench/native/src/* bench/lab/*.c)
	@scripts/system-packages.sh build
	@scripts/venv.sh $(VENV)
	@touch $@

.PHONY: venv
venv: $(STAMP) ## the virtual environment in .venv, with stripelab in it

.PHONY: demo
demo: $(STAMP) ## a real sweep in the virtual lab, its recommendation and its report
	@scripts/system-packages.sh run
	@scripts/demo.sh $(BIN)/stripelab

.PHONY: check
check: $(STAMP) ## lint, formatting, types, import rules, C warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir $(VENV)/cache/import-linter
	scripts/check-c.sh $(BIN)/python

.PHONY: test
test: check ## make check, then every test, with a few of the kills of make chaos
	@scripts/system-packages.sh test
	scripts/tests.sh $(PYTEST) --durations=15

.PHONY: chaos
chaos: $(STAMP) ## kill -9 at random moments, again and again; 50 nights in the lab (hours)
	@scripts/system-packages.sh test
	CHAOS_KILLS=30 CHAOS_GUEST_KILLS=10 CHAOS_LOOP_KILLS=30 CHAOS_POWER_CUTS=10 CHAOS_NIGHT_KILLS=30 NIGHTLY_NIGHTS=30 \
		$(PYTEST) tests/chaos tests/inside/test_nightly.py tests/inside/test_nightly_service_endings.py
	STRIPELAB_SCAN_STEP=1 $(PYTEST) tests/lab/test_reach.py

.PHONY: perf
perf: $(STAMP) ## what stripelab itself costs: figures, not a pass or a failure
	@scripts/system-packages.sh test
	$(PYTEST) -s tests/perf tests/inside/test_native_agreement.py

.PHONY: fuzz
fuzz: $(STAMP) ## the C library by coverage (FUZZ_SECONDS=60), then 100,000 mangled files to import and as many sweeps (FUZZ_FILES=1000)
	@scripts/system-packages.sh fuzz
	scripts/fuzz.sh artefacts/fuzz $(FUZZ_SECONDS)
	$(BIN)/python -m tests.bench.importing.mutations --inputs $(FUZZ_FILES)
	$(BIN)/python -m tests.fuzz.sweeps --inputs $(FUZZ_FILES)
	$(BIN)/python -m tests.bench.hostile_files --inputs $(FUZZ_FILES)
	$(BIN)/python -m tests.bench.test_journal_fuzz --inputs $(FUZZ_FILES)

.PHONY: validate
validate: $(STAMP) ## the figures of the methodology on synthetic truth, 2,000 seeds each (minutes)
	$(BIN)/python -m tests.validate.race --races 2000
	$(BIN)/python -m tests.validate.samplers --seeds 100
	$(BIN)/python -m tests.validate.guarantee --seeds 2000 --into docs/methodology-guarantee.md
	$(BIN)/python -m tests.validate.recommend --seeds 2000 --into docs/methodology-recommendation.md
	$(BIN)/python -m tests.validate.joint --seeds 2000
	$(BIN)/python -m tests.validate.nightly --seeds 1000 --into docs/methodology-nightly.md
	$(BIN)/python -m tests.validate.effects --seeds 2000

.PHONY: reference
reference: $(STAMP) ## the reference documents, made from the code
	$(BIN)/python scripts/reference.py

.PHONY: clean
clean: ## remove what was built: the environment, caches, artefacts and the demo
	@if [[ -e demo && ! -f demo/made-by-make-demo ]]; then echo "demo/ was not made by make demo: left alone"; else rm -rf demo; fi
	rm -rf $(VENV) build dist artefacts *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache bench/native/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
