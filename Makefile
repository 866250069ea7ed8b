# Set-up, checks, demo and benchmarks; every target makes what it needs and a second run is quick.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := cpu,train,clip,captions,hosts,cuts,panel,dev
JOBS ?= 2
ROOMS := engine plugin exporters ui
PIP := $(BIN)/python -m pip --disable-pip-version-check
PIP_FLAGS ?= -qq
INSTALLED := $(VENV)/.installed
export HF_HUB_OFFLINE := 1

.PHONY: test lint format types imports pytest demo bench bench-smoke results tree deps install clean distclean help picture panel translations

help:
	@echo "make test    set up .venv, check style, types and imports, run the tests"
	@echo "make demo    rebalance two minutes of film, as a mix and as tracks; results in demo/"
	@echo "make panel   open the panel on the demo's timeline"
	@echo "make bench   measure speed and memory; appends to benchmarks/RESULTS.md"
	@echo "make results CORPUS=DIR RUNS=DIR   the models' tables of benchmarks/RESULTS.md from checkpoints"
	@echo "make lint    style, types and imports only      make format  bring the style in order"
	@echo "make picture draw the house from its imports into docs/architecture.md"
	@echo "make translations   bring the panel's translations up to date with its source"
	@echo "make clean   remove build products              make distclean  remove .venv and demo/ too"

test: lint pytest

# Debian splits venv from python3: fetch it where that is possible, say so where it is not.
deps:
	@$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y python3-venv >/dev/null; } || \
	{ echo "Python 3.11 or newer with its venv module is needed: apt-get install python3-venv" >&2; exit 1; }

$(BIN)/python: | deps
	@$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml setup.py constraints.txt | $(BIN)/python
	@echo "Installing sightmix and its tools into $(VENV) (some minutes the first time) ..."
	@$(PIP) install $(PIP_FLAGS) -c constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

install: $(INSTALLED)

# The rooms under the name they are installed by, for tools that read source trees.
tree:
	@mkdir -p build/tree/sightmix
	@ln -sfn ../../../plugin/front/__init__.py build/tree/sightmix/__init__.py
	@for r in $(ROOMS); do ln -sfn ../../../$$r build/tree/sightmix/$$r; done

lint: $(INSTALLED) tree
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --check --quiet .
	@MYPYPATH=build/tree $(BIN)/mypy --no-error-summary $(ROOMS:%=-p sightmix.%)
	@MYPYPATH=build/tree:examples:benchmarks $(BIN)/mypy --no-error-summary examples/*.py benchmarks/*.py
	@PYTHONPATH=build/tree $(BIN)/lint-imports --no-cache >build/imports.txt || { cat build/imports.txt; exit 1; }
	@echo "style, types and imports: no complaints"

picture: $(INSTALLED) tree
	@$(BIN)/python benchmarks/picture.py

format: $(INSTALLED)
	@$(BIN)/ruff check --quiet --output-format concise --fix . ; $(BIN)/ruff format .

pytest: $(INSTALLED)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) tests

demo: $(INSTALLED)
	@$(BIN)/python examples/demo.py demo

# The demo's timeline is made once; the model does not run for it.
demo/timeline_tracks.otio: | $(INSTALLED)
	@$(BIN)/python examples/demo.py --prepare demo

panel: $(INSTALLED) demo/timeline_tracks.otio
	@$(BIN)/sightmix-panel demo/timeline_tracks.otio

translations: $(INSTALLED)
	@$(BIN)/python benchmarks/translations.py

bench: $(INSTALLED)
	@$(BIN)/python benchmarks/run.py

bench-smoke: $(INSTALLED)
	@$(BIN)/python benchmarks/run.py --smoke

# What has been worked out before is read from RUNS; TRAIN=1 trains the checkpoints that are missing.
results: $(INSTALLED)
	@test -n "$(CORPUS)" && test -n "$(RUNS)" || \
	{ echo "make results needs CORPUS=DIR, a corpus or shards, and RUNS=DIR, the training runs." >&2; exit 2; }
	@$(BIN)/python -m sightmix.engine.evaluation.experiments --corpus "$(CORPUS)" --runs "$(RUNS)" \
	  --report benchmarks/RESULTS.md --json "$(RUNS)/results.json" $(if $(TRAIN),--train) $(if $(ONLY),--only $(ONLY))

clean:
	@rm -rf build dist sightmix.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find $(ROOMS) tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	@rm -rf $(VENV) demo
