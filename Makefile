# make demo: everything on synthetic music videos. make test: everything that must hold.
PYTHON ?= python3
DATA ?= ../shared/data
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help demo reproduce test lint format bench clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 14

.venv/.runtime: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Antiphon needs Python 3.11 or newer; name one with make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/.dev: .venv/.runtime
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: .venv/.runtime ## render synthetic music videos, train, evaluate, write a report
	$(BIN)/antiphon demo

reproduce: .venv/.runtime ## the paper, whole, on synthetic music videos
	$(BIN)/antiphon reproduce --synthetic

test: lint ## lint, then all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: .venv/.dev ## format, style, types and the layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright

format: .venv/.dev ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev ## measure: rendering, backbones, decoding, the index, the paper on YouTube-8M
	$(BIN)/python benchmarks/synthetic.py
	$(BIN)/python benchmarks/backbones.py
	$(BIN)/python benchmarks/large_batches.py
	$(BIN)/python benchmarks/index.py
	$(BIN)/python benchmarks/index_questions.py
	$(BIN)/python benchmarks/decoding.py $(wildcard $(DATA)/media/video/*.mp4)
	$(BIN)/antiphon --workspace bench-youtube8m reproduce --features yt8m:$(DATA)/yt8m/music.parquet --label-names $(DATA)/yt8m/labels.csv

clean: ## remove what make made
	rm -rf .venv dist build bench-youtube8m .pytest_cache .ruff_cache .hypothesis .import_linter_cache
