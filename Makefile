# Every target sets up what it needs; a fresh clone needs only Python 3.11 or newer and, for the tests, a browser.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
CLIENTS_READY := .venv-clients/.ready
PEERS_READY := $(VENV)/.peers-ready

.PHONY: run test check proof bench train browser
run: $(READY)
	$(RUN) app.py $(ARGS)

test: $(READY) $(CLIENTS_READY) browser
	$(RUN) -m pytest $(ARGS)

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache

proof: $(READY) browser
	$(RUN) -m tests.proof $(ARGS)

bench: $(PEERS_READY)
	$(RUN) -m engine bench $(ARGS)

train: $(READY)
	$(RUN) -m engine train $(ARGS)

$(READY): requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tidegate needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(RUN) -c 'import engine.surface.surface, engine.forecast.stepping'  # compiles all that is compiled, once: see engine/compiled.py
	touch $@

$(PEERS_READY): requirements-bench.txt $(READY)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-bench.txt
	touch $@

$(CLIENTS_READY): tests/clients/requirements.txt
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/pip install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
	touch $@

browser:
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null; } \
	  || { echo "The browser tests need chromium and chromedriver: install the packages chromium and chromium-driver."; exit 1; }
