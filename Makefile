# Two commands matter: `make run` and `make test`. `make help` lists the rest.
export UV_PYTHON_DOWNLOADS = never

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = .venv/bin
UI_SOURCES = $(shell find frontend docs -path frontend/node_modules -prune -o -type f -print 2>/dev/null)
WORKERS ?= 2

.PHONY: help run demo test check lock schema client-check bench clean sbom
.DEFAULT_GOAL := help

help:  ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/base.stamp gateway/static/index.html  ## Set up everything and serve on port 8000
	$(BIN)/python -m fairlead serve

demo: .venv/dev.stamp gateway/static/index.html  ## Serve a made-up installation full of traffic, in a folder of its own
	$(BIN)/python -m tests.demo

test: .venv/dev.stamp gateway/static/index.html  ## Every test: Python, UI, browser
	$(BIN)/python -m pytest -q -rs -n $(WORKERS)
	cd frontend && npm test

check: .venv/dev.stamp frontend/node_modules/.package-lock.json  ## Lint, format, types, import rules, schema snapshot
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m fairlead export-schema --check
	cd frontend && npm run check

schema: .venv/dev.stamp  ## Write schema/schema.graphql from the code
	$(BIN)/python -m fairlead export-schema > schema/schema.graphql.new
	mv schema/schema.graphql.new schema/schema.graphql

client-check: .venv/dev.stamp .venv-client/client.stamp  ## Generate a typed Python client and use it against a server
	rm -rf .venv-client/generated && mkdir .venv-client/generated
	.venv-client/bin/ariadne-codegen --config tests/client/ariadne.toml
	$(BIN)/python -m tests.client.check

bench: .venv/dev.stamp  ## Measure the data plane beside direct calls (benchmarks/README.md)
	$(BIN)/python -m benchmarks.dataplane

.PHONY: bench-usage bench-graphql
bench-usage: .venv/dev.stamp  ## Measure usage at size: 10 million rows; ROWS=200000 for a quick look, KEEP=folder to seed once
	$(BIN)/python -m benchmarks.usage --raw --rows $(ROWS) $(if $(KEEP),--keep $(KEEP))
	$(BIN)/python -m benchmarks.writer $(if $(KEEP),--keep $(KEEP),--seed 200000)
	$(BIN)/python -m benchmarks.subscribers

bench-graphql: .venv/dev.stamp benchmarks/peers/node_modules/.package-lock.json  ## Measure GraphQL beside Node servers
	$(BIN)/python -m benchmarks.graphql

ROWS ?= 10000000

benchmarks/peers/node_modules/.package-lock.json: benchmarks/peers/package-lock.json
	cd benchmarks/peers && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

lock: .venv/dev.stamp  ## Resolve the lock files anew
	$(BIN)/uv pip compile $(LOCK) requirements/installer.in -o requirements/installer.txt
	$(BIN)/uv pip compile $(LOCK) requirements/wheel.in -o requirements/wheel.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/base.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group test --group check -c requirements/base.txt -o requirements/dev.txt
	$(BIN)/uv pip compile $(LOCK) requirements/client.in -o requirements/client.txt

LOCK = -q --exclude-newer "7 days" --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links

sbom: .venv/dev.stamp frontend/node_modules/.package-lock.json  ## Write what it is made of to artifacts/, in CycloneDX
	@mkdir -p artifacts
	$(BIN)/cyclonedx-py requirements requirements/base.txt --of JSON -o artifacts/python.cdx.json
	cd frontend && npm sbom --omit dev --sbom-format cyclonedx > ../artifacts/web.cdx.json

.PHONY: image image-check
DOCKER ?= docker

image:  ## Build the container image
	$(DOCKER) build -f deploy/Dockerfile -t fairlead .

image-check: .venv/dev.stamp  ## Run the container image locked down, use it, and check what docs/containers.md promises
	DOCKER="$(DOCKER)" $(BIN)/python -m tests.image.check

clean:  ## Remove what was built; the data directory stays
	rm -rf .venv frontend/node_modules gateway/static

.venv/bin/uv: requirements/installer.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Fairlead needs Python 3.11 or newer; try: make run PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/installer.txt
	@touch $@

.venv/base.stamp: requirements/base.txt .venv/bin/uv
	$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/base.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/base.stamp
	$(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

.venv-client/client.stamp: requirements/client.txt .venv/bin/uv
	$(BIN)/uv venv -q --clear --python $(BIN)/python .venv-client
	$(BIN)/uv pip install -q --python .venv-client/bin/python --require-hashes -r requirements/client.txt
	@touch $@

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	@command -v npm >/dev/null || { echo "Fairlead needs Node 20 and npm to build its web pages."; exit 1; }
	cd frontend && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

gateway/static/index.html: frontend/node_modules/.package-lock.json $(UI_SOURCES)
	cd frontend && npm run build --silent
	@touch $@
