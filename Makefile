# make demo    a network trained for a board, its QONNX, Design, estimate, simulation and report
# make test    what the tests need, then the tests        make lint    ruff
# make conformance   2,000 random blocks and 200 random graphs: RTL against integer function and
#              simulator (needs verilator); goes on where it was stopped
# make networks      1,200 random networks: the import's integers against qonnx
# make netlists      gates of a sample of every block against the same (needs iverilog)
# make clean   remove what make made
#
# PYTHON=python3.12       another interpreter, 3.11 or later
# TORCH_INDEX=<url>       a package index that holds PyTorch's small CPU build

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH_INDEX ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
TORCH := torch==2.13.0
TORCH_OPTIONS := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
SETUP := pyproject.toml constraints.txt codesign/__init__.py

.DELETE_ON_ERROR:
.PHONY: demo install test programs conformance netlists networks model-report lint clean

demo: install
	$(BIN)/codesign run flows/digits_pynq-z2.toml --out runs/demo

install: .venv/installed

.venv/installed: $(SETUP)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "installing into .venv (about 1.2 GB with PyTorch's CPU build)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install $(TORCH_OPTIONS) "$(TORCH)+cpu" 2>.venv/torch.log || { \
	  echo "note: no CPU build of PyTorch in your package index: installing the default build, which"; \
	  echo "      may bring CUDA (some GB); 'make clean; make demo TORCH_INDEX=<url>' takes the CPU"; \
	  echo "      build from the index that PyTorch's own installation page names"; \
	  $(PIP) install "$(TORCH)"; }
	@$(PIP) install -c constraints.txt -e .
	@# finn-base comes as a source package whose setup.py needs pkg_resources: old and new pip read
	@# the bound on setuptools from different variables, and pip 26.3 refuses the package.
	@$(PIP) install "pip<26.3"
	@PIP_CONSTRAINT=$(CURDIR)/constraints.txt PIP_BUILD_CONSTRAINT=$(CURDIR)/constraints.txt \
	  $(PIP) install -e '.[finn]' \
	  || echo "note: finn-base could not be installed; it only serves as a second check of results"
	@touch $@

.venv/test-installed: .venv/installed
	@$(PIP) install -c constraints.txt -e '.[test]'
	@touch $@

# Programs that some tests use: a browser opens the report; the hardware is simulated and synthesised.
PROGRAMS := chromium chromedriver verilator yosys iverilog
PACKAGES := chromium chromium-driver verilator yosys iverilog

programs:
	@missing=$$(for p in $(PROGRAMS); do command -v $$p >/dev/null || echo $$p; done | xargs); \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing $(PACKAGES)"; \
	  apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(PACKAGES) >/dev/null \
	    || echo "note: apt could not install them: tests that need $$missing will be skipped"; \
	else \
	  echo "note: $$missing missing (Debian, as root: apt-get install $(PACKAGES)):"; \
	  echo "      the tests that need them will be skipped"; \
	fi

test: .venv/test-installed programs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

model-report: install
	$(BIN)/codesign model-report

conformance: .venv/test-installed
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.hw.conformance --blocks 2000 --graphs 200

netlists: .venv/test-installed
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.hw.gates

networks: .venv/test-installed
	OMP_NUM_THREADS=1 CODESIGN_RANDOM_NETS=400 $(BIN)/python -m pytest -q -n 2 tests/graph/test_random.py

lint: .venv/test-installed
	$(BIN)/ruff check codesign tests

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
	find codesign tests -name __pycache__ -prune -exec rm -rf {} +
