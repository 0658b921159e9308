# demo: the whole graph on the sample project; dev: the UI; test: what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo demo-real dev docs test test-slow check models clean distclean

$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the project into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(READY)
	@$(BIN)/compass demo

# Real multilingual data from a folder of Parquet files: make demo-real SHARED=../shared/data
SHARED ?= ../shared/data
demo-real: $(READY)
	@$(BIN)/python -m experiments.real.demo --shared $(SHARED) --project data/real

PORT ?= 3000
dev: $(READY)
	@$(BIN)/compass dev --port $(PORT)

docs: $(READY)
	@$(BIN)/python -m mkdocs build --quiet
	@echo "site/index.html"

test: check
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

# Killed runs, backfills, updates and promotions, a store in a bucket, the two models made again.
test-slow: $(READY)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# Makes the two small models that are shipped in data/models again.
models: $(READY)
	@$(BIN)/python -m compass_core.world.make_models --out data/models --seed 17

clean:
	@rm -rf data/store data/cache data/dagster data/corpora data/logs data/benchmarks data/real data/experiments
	@rm -rf site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	@rm -rf $(VENV) *.egg-info
