# `make` alone lists what there is.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_TRACKING_URI ?= sqlite:///$(CURDIR)/mlruns/mlflow.db
export COLUMNS ?= 150

.DEFAULT_GOAL := help
.PHONY: help demo install nets test check docs mlflow clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/.ok nets .git  ## synthetic corpus, training, an edited clip and a report; again: only what is missing
	dvc repro
	@python -m pipelines.results

install: .venv/.ok nets  ## .venv with the pinned packages, and the landmark nets
	@echo "source .venv/bin/activate gives talkin, kedro, dvc and mlflow to your shell"

nets: .venv/.ok
	@talkin fetch-nets

.venv/.ok: pyproject.toml constraints.txt .venv-start.pth
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing); Python 3.11 to 3.13 is needed: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv || \
	  { echo "no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@.venv/bin/python -c 'import cv2' || \
	  { echo "OpenCV does not load (its reason stands above); on Debian and Ubuntu: apt install libgl1 libxcb1 libglib2.0-0"; exit 1; }
	@cp .venv-start.pth "$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/talkin_start.pth"
	@touch $@

# DVC wants a repository: an unpacked archive has none.
.git:
	@git init --quiet && echo "made a git repository, which DVC needs"

test: .venv/.ok nets  ## environment and all tests
	pytest -q

check: .venv/.ok  ## lint, format, types, import rules, fast tests
	ruff check
	ruff format --check
	mypy
	lint-imports
	pytest -q -m 'not slow'

docs: .venv/.ok  ## this project's documentation as a site: site/index.html
	NO_MKDOCS_2_WARNING=1 mkdocs build --quiet

mlflow: .venv/.ok  ## the runs and models, in a browser at http://127.0.0.1:5000
	mlflow ui --workers 1 --backend-store-uri "$(MLFLOW_TRACKING_URI)"

clean: .git  ## remove what stages made (raw footage, committed figures, .venv and mlruns stay)
	git clean -qfdX data/0[2-8]_*
	rm -rf .pytest_cache build
