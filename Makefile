# make demo: everything on synthetic music videos. make test: everything that must hold.
PYTHON ?= python3
DATA ?= ../shared/data
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
# What Python compiles is kept, even where the environment forbids it: pip has compiled nothing (--no-compile), and each of
# the hundreds of processes of the tests would compile torch anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo reproduce docs test lint format bench trust audit release hashes clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 14

# Everything but torch is checked against its hash; pip then installs torch, and what other systems need, by version.
HASHED := -m pip install --quiet --no-compile --require-hashes --no-deps --requirement
PINNED := -m pip install --quiet --no-compile --constraint constraints.txt --no-build-isolation --editable

.venv/.runtime: pyproject.toml constraints.txt release/hashes-runtime.txt
	@$(PYTHON) -c 'import sys; sys.exit("Antiphon needs Python 3.11 or newer; name one with make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python $(HASHED) release/hashes-runtime.txt
	$(BIN)/python $(PINNED) '.[app]'
	@touch $@

.venv/.dev: .venv/.runtime release/hashes-dev.txt
	$(BIN)/python $(HASHED) release/hashes-dev.txt
	$(BIN)/python $(PINNED) '.[app,dev]'
	@touch $@

.venv/.docs: .venv/.dev release/hashes-docs.txt
	$(BIN)/python $(HASHED) release/hashes-docs.txt
	$(BIN)/python $(PINNED) '.[app,dev,docs]'
	@touch $@

.venv/.release: .venv/.dev release/hashes-release.txt
	$(BIN)/python $(HASHED) release/hashes-release.txt
	$(BIN)/python $(PINNED) '.[app,dev,release]'
	@touch $@

demo: .venv/.runtime ## render synthetic music videos, train, evaluate, write a report
	$(BIN)/antiphon demo

reproduce: .venv/.runtime ## the paper, whole, on synthetic music videos
	$(BIN)/antiphon reproduce --synthetic

docs: .venv/.docs ## the documentation site, in build/site: opens from the disk and needs no network
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

test: lint .venv/.docs ## lint, then all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --durations 40 --durations-min 10

lint: .venv/.dev ## format, style, types and the layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright

format: .venv/.dev ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev ## measure: rendering, backbones, networks, decoding, the index, the service, the paper on YouTube-8M
	$(BIN)/python benchmarks/synthetic.py
	$(BIN)/python benchmarks/backbones.py
	$(BIN)/python benchmarks/networks.py --media $(DATA)/media --out results/engine/networks.json
	$(BIN)/python benchmarks/gpu.py --media $(DATA)/media
	$(BIN)/python benchmarks/large_batches.py
	$(BIN)/python benchmarks/training.py short --repeats 1
	$(BIN)/python benchmarks/index.py
	$(BIN)/python benchmarks/service.py 200
	$(BIN)/python benchmarks/load.py --seconds 20
	$(BIN)/antiphon -w bench-demo demo --videos 40
	$(BIN)/python benchmarks/first_answer.py bench-demo/* $(DATA)/media/video/big_buck_bunny_30s.webm
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/sparse_floor.py --media $(DATA)/media --out results/engine/sparse_floor.json
	$(BIN)/python benchmarks/ingest.py $(wildcard $(DATA)/media/video/*.mp4)
	$(BIN)/python benchmarks/soak.py --files 1000
	$(BIN)/python benchmarks/ray_executor.py $(wildcard $(DATA)/media/video/*.mp4) --copies 4 --workers 2
	$(BIN)/python benchmarks/decoding.py $(wildcard $(DATA)/media/video/*.mp4)
	$(BIN)/antiphon --workspace bench-youtube8m reproduce --features yt8m:$(DATA)/yt8m/music.parquet --label-names $(DATA)/yt8m/labels.csv

trust: .venv/.dev ## run what SECURITY.md promises, and write docs/trust.md
	OMP_NUM_THREADS=1 $(BIN)/python release/trust.py

audit: .venv/.release ## look the pinned packages up in security advisories, where these can be reached
	$(BIN)/python release/audit.py

release: .venv/.release ## wheel, source archive and SBOM (CycloneDX) in dist/
	rm -rf dist
	$(BIN)/python -m hatchling build
	(cat release/hashes-runtime.txt; grep ^torch== constraints.txt) | $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file dist/antiphon.cdx.json -

hashes: .venv/.docs .venv/.release ## write release/hashes-*.txt again, after constraints.txt has changed (needs uv)
	$(BIN)/python release/hashes.py

clean: ## remove what make made
	rm -rf .venv dist build bench-youtube8m .pytest_cache .ruff_cache .hypothesis .import_linter_cache
