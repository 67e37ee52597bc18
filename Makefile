# Each goal sets up what it needs. `make` alone lists the goals.
.DEFAULT_GOAL := help
.NOTPARALLEL:

# redis.conf loads the library from target/, and the tests run on that file.
export CARGO_TARGET_DIR := $(CURDIR)/target
export QUOTELOCK_MODULE := $(CARGO_TARGET_DIR)/release/libquotelock.so

typescript := clients/typescript
python := clients/python
hermes := examples/hermes
examples := examples/clients
quickstart := examples/quickstart
lint := $(CARGO_TARGET_DIR)/lint
scripts := $(wildcard scripts/* tests/clients/*.sh) .ci/run packaging/preremove $(addprefix packaging/,assemble boot build-library fetch-tools in-root make-root mount-dev sign test-archive test-clients test-arm test-install test-rpm)
npm_ci := npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
# Selects the tests of the unsafe code.
unsafe_tests := -p quotelock-server

.PHONY: help run demo monitoring journeys pictures build test suites core soak fuzz lint sanitize miri msrv deny image bench count docs book clean library clients hermes quickstart package

help: ## List these goals
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16
	@echo
	@echo "make run takes PORT (default 6379), REDIS_SERVER (the path of another server) and DEMO_ONLY=1 (stop after the demonstration)."
	@echo "make bench takes PARTS (locks tables node crowd refill memory growth persistence; page: only write it) and BENCH_SERVER (redis-8.2.3)."
	@echo "make demo takes PORT (default 8080), PODS (10), VEHICLES (8000), CHANGES (price changes a second, 12, at most 20), CLOCKS_MS (how far pods' clocks are apart, 0) and REDIS_SERVER."
	@echo "make monitoring takes PORT (16390: it takes free ports above it), SCRAPE (how often to scrape, 15s), NO_LOAD=1 (only watch) and REDIS_SERVER."

run: ## Build, start Redis with the module, show it at work, and leave it running
	@scripts/run

demo: ## Start examples/hermes: a rental service in ten pods, with a page to watch it
	@scripts/setup demo
	@$(MAKE) --no-print-directory hermes library
	@REDIS_SERVER=$${REDIS_SERVER:-$$(scripts/system-server)} exec node $(hermes)/dist/demo/main.js

monitoring: ## Start a server, its replica, redis_exporter and Prometheus with demo load, and say where to look
	@scripts/setup monitoring
	@$(MAKE) --no-print-directory library target/python/requirements.txt
	@exec scripts/monitoring

journeys: ## Count price mismatches in examples/hermes while pods, upstream and Redis fail; QUICK=1: within three minutes
	@scripts/setup demo
	@$(MAKE) --no-print-directory hermes library
	@REDIS_SERVER=$${REDIS_SERVER:-$$(scripts/system-server)} exec node $(hermes)/dist/journeys/main.js $(if $(QUICK),quick,full)

pictures: ## Check the demo's page in headless Chromium, and take the pictures of its README; DIR=where to put them
	@scripts/setup pictures
	@$(MAKE) --no-print-directory hermes library
	@REDIS_SERVER=$${REDIS_SERVER:-$$(scripts/system-server)} CHROMIUM=$${CHROMIUM:-$$(command -v chromium)} exec node $(hermes)/dist/demo/pictures/main.js $(or $(DIR),$(hermes)/pictures)

build: ## Build the library: target/release/libquotelock.so
	@scripts/setup build
	@$(MAKE) --no-print-directory library

test: ## Run all tests, on four servers; ALL=1: on all of tests/servers.txt, and those that take more set-up
	@scripts/setup $(if $(ALL),all,test)
	@scripts/servers $(if $(ALL),all,test)
	@$(MAKE) --no-print-directory clients hermes quickstart target/monitoring/requirements.txt library
	@echo "== Running the tests"
	@cargo test --workspace --locked
ifdef ALL
	@echo "== Running them on the other servers, and those that take more set-up"
	@cargo test --locked --test it -- --ignored _all_
endif

suites: ## Run the test suites of Redis and Valkey with the module loaded; SERVER=valkey-8.1.1: only that one's; QUICK=1: within two minutes
	@scripts/setup suites
	@$(MAKE) --no-print-directory library
	@echo "== Running the servers' own test suites"
	@scripts/suites $(SERVER)

core: ## Test the core alone: it needs neither libclang nor a server
	@scripts/setup core
	@echo "== Testing the core"
	@cargo test --locked -p quotelock-core

soak: ## Run the tests of docs/reliability.md in their long forms: hours; WHAT=kill: only those whose names begin with kill; WHAT=hour MINUTES=10: a shorter hour; ALL=1: on all servers
	@scripts/setup $(if $(ALL),all,test)
	@scripts/servers $(if $(ALL),all,test)
	@$(MAKE) --no-print-directory clients library
	@echo "== Running the long forms"
	@cargo build --locked --examples
	@cargo test --quiet --locked --test it reliability::$(WHAT) -- --list | grep -q ': test$$' || { echo "There is none whose name begins with $(WHAT)" >&2; exit 1; }
	@QUOTELOCK_FULL=1 cargo test --locked --test it reliability::$(WHAT) -- --nocapture --test-threads=1 --include-ignored --skip make_the_fixtures $(if $(ALL),,--skip _all_)

fuzz: ## Fuzz the core by coverage, TIME seconds each (60); TARGET=decoder: one; KEEP=1: add what was found to fuzz/corpus
	@scripts/setup build
	@scripts/fuzz $(or $(TIME),60) $(TARGET)

lint: ## Check format, lints, doc comments, scripts, spelling, links, workflows, manifests, TypeScript, Python, and that docs/commands is up to date
	@scripts/setup lint
	@$(MAKE) --no-print-directory target/lint/requirements.txt
	@echo "== Checking the format"
	@cargo fmt --all --check
	@echo "== Checking the lints"
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@cargo metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
	@echo "== Checking the doc comments"
	@RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' cargo doc --quiet --locked --workspace --no-deps --document-private-items
	@echo "== Checking the scripts"
	@shellcheck $(scripts)
	@echo "== Checking the spelling"
	@target/lint/bin/typos
	@$(MAKE) --no-print-directory node_modules/.package-lock.json
	@echo "== Checking the workflows and deploy/kubernetes"
	@target/lint/bin/zizmor --offline --quiet --no-progress .github
	@scripts/lint-kubernetes
	@echo "== Checking links"
	@target/lint/bin/lychee --offline --include-fragments --no-progress --quiet --extensions md .
	@$(MAKE) --no-print-directory book
	@echo "== Checking TypeScript and JavaScript"
	@node_modules/.bin/biome check --error-on-warnings
	@$(MAKE) --no-print-directory target/python/requirements.txt
	@echo "== Checking Python"
	@cd $(python) && $(lint)/bin/ruff format --check --quiet . ../../$(examples) ../../.ci ../../deploy && $(lint)/bin/ruff check --quiet . ../../$(examples) ../../.ci ../../deploy
	@cd $(python) && PYTHONPATH=$(lint) MYPYPATH=src:$(CARGO_TARGET_DIR)/python python3 -m mypy --cache-dir $(CARGO_TARGET_DIR)/mypy
	@echo "== Checking docs/commands"
	@cargo test --locked --lib pages

sanitize: ## Run the unit tests of the unsafe code under AddressSanitizer; SERVER=1: and tests on a server and a module built with sanitizers, TESTS=name: those with such names
	@scripts/setup build
	@echo "== Testing the unsafe code under AddressSanitizer"
	@RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --locked $(unsafe_tests) \
		--target "$$(rustc --print host-tuple)" --target-dir target/sanitize
ifdef SERVER
	@scripts/setup sanitize
	@scripts/sanitize $(TESTS)
endif

miri: ## Run unit tests of the core in Miri, and all of it and the unsafe code by cargo careful; needs a nightly toolchain
	@scripts/setup build
	@scripts/miri

msrv: ## Build and run the unit tests with the oldest Rust supported; INSTALL=1: install it first, through rustup
	@scripts/setup build
	@scripts/msrv

deny: ## Check licences and sources of crates, and known vulnerabilities; ADVISORY_DB=a git copy of RustSec's list
	@scripts/deny

image: ## Build the image of server and module; TEST=1: and try it; STANDIN=1: on stand-ins, where no registry is to be reached
	@scripts/setup image
	@scripts/image

bench: ## Compare with what a user would take instead, on each server at hand, and write docs/benchmarks.md; QUICK=1: a look in three minutes
	@scripts/setup bench
	@scripts/servers test
	@scripts/redis-json
	@$(MAKE) --no-print-directory library $(typescript)/dist/src/index.js
	@echo "== Building the benchmark"
	@cargo bench --locked --bench servers --no-run
	@echo "== Measuring"
	@cargo bench --quiet --locked --bench servers -- $(PARTS)

count: ## Count the core's instructions; fails if they have grown by more than 5 %
	@scripts/setup count
	@echo "== Counting instructions"
	@cargo bench --locked -p quotelock-core --bench instructions

package: ## Make the packages of the last commit in target/package; ARCH=x86_64 or aarch64: for one; TEST=1: and try them on Debian and Ubuntu
	@scripts/setup package
	@scripts/package $(ARCH)
ifdef TEST
	@scripts/setup package-test
	@scripts/package-test $(ARCH)
endif

docs: ## Write the parts of the README and docs/ that come from commands' entries, tests and benchmarks, and build the guide as a site: target/book
	@scripts/setup docs
	@echo "== Writing docs/commands"
	@UPDATE_PAGES=1 cargo test --locked --lib pages
	@echo "== Writing docs/clients.md"
	@UPDATE_PAGES=1 cargo test --locked --test it client_programs::page
	@echo "== Writing parts of the README and the guide"
	@UPDATE_PAGES=1 cargo test --locked --test it parts::
	@$(MAKE) --no-print-directory book

# REPOSITORY=https://… is where its links to code lead; without it they are no links.
book: target/mkdocs/book.txt
	@echo "== Building the guide's site: target/book"
	@NO_MKDOCS_2_WARNING=1 PYTHONPATH=target/mkdocs python3 -m mkdocs build

clean: ## Remove what was built and fetched; data/ stays
	@rm -rf target/package-root 2>/dev/null || sudo rm -rf target/package-root
	@cargo clean
	@find $(python) -name __pycache__ -prune -exec rm -rf {} +
	@rm -rf node_modules $(python)/dist tests/clients/node_modules $(examples)/node_modules $(foreach at,$(typescript) $(hermes) $(quickstart),$(at)/node_modules $(at)/dist)

library:
	@echo "== Building the library"
	@cargo build --release --locked

node_modules/.package-lock.json: package-lock.json
	@echo "== Fetching what checks TypeScript, JavaScript and the ServiceMonitor"
	@$(npm_ci)
	@touch $@

clients: tests/clients/node_modules/.package-lock.json $(examples)/node_modules/.package-lock.json target/python/requirements.txt target/python-clients/requirements.txt $(typescript)/dist/src/index.js

tests/clients/node_modules/.package-lock.json $(examples)/node_modules/.package-lock.json: %/node_modules/.package-lock.json: %/package-lock.json
	@echo "== Fetching the JavaScript clients of $*"
	@cd $* && $(npm_ci)
	@touch $@

$(typescript)/node_modules/.package-lock.json: $(typescript)/package-lock.json
	@echo "== Fetching what the TypeScript client is built and tested with"
	@cd $(typescript) && $(npm_ci)
	@touch $@

$(typescript)/dist/src/index.js: $(typescript)/node_modules/.package-lock.json $(wildcard $(addprefix $(typescript)/,*.json src/*.ts src/*/*.ts test/*.ts))
	@echo "== Building the TypeScript client"
	@rm -rf $(typescript)/dist
	@cd $(typescript) && npm run --silent build

hermes: $(hermes)/dist/api/pod.js

$(hermes)/node_modules/.package-lock.json: $(hermes)/package-lock.json
	@echo "== Fetching what examples/hermes is made with"
	@cd $(hermes) && $(npm_ci)
	@touch $@

$(hermes)/dist/api/pod.js: $(hermes)/node_modules/.package-lock.json $(typescript)/dist/src/index.js $(wildcard $(hermes)/*.json $(hermes)/*/*.ts $(hermes)/*/*/*.ts)
	@echo "== Building examples/hermes"
	@rm -rf $(hermes)/dist
	@cd $(hermes) && npm run --silent build

quickstart: $(quickstart)/dist/quickstart.js

$(quickstart)/node_modules/.package-lock.json: $(quickstart)/package-lock.json
	@echo "== Fetching what examples/quickstart is made with"
	@cd $(quickstart) && $(npm_ci)
	@touch $@

$(quickstart)/dist/quickstart.js: $(quickstart)/node_modules/.package-lock.json $(typescript)/dist/src/index.js $(wildcard $(quickstart)/*.json $(quickstart)/*.ts)
	@echo "== Building examples/quickstart"
	@rm -rf $(quickstart)/dist
	@cd $(quickstart) && npm run --silent build

# The copy of a list, made last, marks that all of it is there.
target/python/requirements.txt: tests/clients/requirements.txt
	@echo "== Fetching the Python drivers"
	@rm -rf target/python
	@python3 -m pip install --quiet --root-user-action=ignore --target target/python -r $<
	@cp $< $@

# In a folder of their own: what these require hides modules that mypy knows.
target/python-clients/requirements.txt: $(examples)/requirements.txt
	@echo "== Fetching the Python clients of $(examples)"
	@rm -rf target/python-clients
	@python3 -m pip install --quiet --root-user-action=ignore --target target/python-clients -r $<
	@cp $< $@

target/monitoring/requirements.txt: deploy/monitoring/requirements.txt
	@echo "== Fetching Grafana's SDK"
	@rm -rf target/monitoring
	@python3 -m pip install --quiet --root-user-action=ignore --target target/monitoring -r $<
	@cp $< $@

target/lint/requirements.txt: .ci/requirements.txt
	@echo "== Fetching what checks spelling, links, workflows, manifests and Python"
	@rm -rf target/lint
	@python3 -m pip install --quiet --root-user-action=ignore --only-binary=:all: --target target/lint -r $<
	@cp $< $@

target/mkdocs/book.txt: .ci/book.txt
	@echo "== Fetching what builds the guide's site"
	@rm -rf target/mkdocs
	@python3 -m pip install --quiet --root-user-action=ignore --only-binary=:all: --target target/mkdocs -r $<
	@cp $< $@
