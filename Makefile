# Pushcart's chores. `make` alone lists them.
#
# A fresh Debian 12 needs Go, Node.js, npm, make and git. What tests need beyond that (ffmpeg, Chromium,
# a C compiler for the race detector) is installed with apt-get when it is missing, and only then: with
# everything in place no target needs a network.

GO      ?= go
NPM     ?= npm
BIN     := bin
ARGS    ?=
FUZZTIME ?= 30s
BENCHTIME ?= 1s

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run build web tools modules check fmt test unit webtest e2e e2e-long fuzz bench clip docker clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## start the server with a built-in host, and print the address of its page (ARGS=...)
	$(BIN)/pushcart demo $(ARGS)

build: web ## build the server: bin/pushcart
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN)/pushcart ./cmd/pushcart

# ---- the browser's part

web: web/dist/hls.min.mjs ## fetch the player page's libraries and put them where Go embeds them

web/dist/hls.min.mjs: web/build.mjs $(wildcard web/overlay/*.js web/overlay/*.mjs) web/node_modules/.package-lock.json
	cd web && node build.mjs
	@touch $@

%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	@command -v $(NPM) >/dev/null || { echo "npm is missing: install Node.js 18 or later, with npm" >&2; exit 1; }
	cd $* && $(call twice,$(NPM) ci --no-audit --no-fund)
	@touch $@

# A download gets a second chance: a registry may stumble. What fails twice fails.
twice = { $(1) || { echo "once more in 10 s: $(1)" >&2; sleep 10; $(1); }; }

# ---- tests

tools: ## install what the tests need, if it is missing
	@scripts/need gcc ffmpeg ffprobe chromium

modules: web
	@$(call twice,$(GO) list -deps -test ./... >/dev/null)

check: modules ## formatting and vet
	@bad=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	if [ -n "$$bad" ]; then echo "not formatted (run make fmt):"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...

fmt: ## format the Go sources
	gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

test: tools check unit webtest e2e ## everything: formatting, vet, unit and end-to-end tests

unit: tools web ## Go tests with the race detector, without the end-to-end ones
	$(GO) test -race -timeout 15m $$($(GO) list ./... | grep -v '/e2e$$')

webtest: ## tests of the player page's own modules
	cd web && $(NPM) test --silent

# The end-to-end tests measure, so nothing runs beside them. Those that only wait come last, three at a time.
e2e: tools web e2e/browser/node_modules/.package-lock.json ## a real host, a real browser: short
	E2E_RACE=1 $(GO) test -count=1 -timeout 40m -parallel 3 -v ./e2e

e2e-long: tools web e2e/browser/node_modules/.package-lock.json ## the same, ten starts of 60 s, 200 cues and ten minutes of a ladder, judged by the budgets
	E2E_STARTS=10 E2E_SECONDS=60 E2E_CUES=200 E2E_CUE_FRAMES=90 E2E_PAUSE_SECONDS=60 E2E_LADDER_SECONDS=600 E2E_JUDGE=1 $(GO) test -count=1 -timeout 120m -v ./e2e

fuzz: web ## every fuzz target, FUZZTIME each (30s)
	@set -e; for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

bench: web ## benchmarks, then the measurements of ./bench (ARGS=...)
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $$($(GO) list ./... | grep -v '/e2e$$')
	@if [ -f bench/main.go ]; then $(GO) run ./bench $(ARGS); fi

# ---- the rest

clip: tools e2e/browser/node_modules/.package-lock.json ## draw, compose and encode the demo show again
	cd demo/makeclip && node render.mjs --stills ../../web/demo
	$(GO) run ./demo/makeclip -o demo/clip.flv -scripts demo/makeclip

docker: ## build the container image pushcart:latest
	docker build -t pushcart .

clean: ## remove what was built
	rm -rf $(BIN) build web/dist/hls.* web/dist/shaka-player.* web/node_modules e2e/browser/node_modules
