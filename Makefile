# SPDX-License-Identifier: AGPL-3.0-only

.PHONY: help run demo test check bench matrix e2e clients examples cover fuzz api

help: ## say what there is (the default)
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on http://127.0.0.1:8088 what is found on this machine
	go run ./cmd/hoosh serve

demo: ## a real engine and a real model: installs llama.cpp, asks it through hoosh, ends what it started
	bash scripts/demo.sh

test: ## all tests that need nothing but Go
	go test ./...

check: ## everything a change must pass: format, vet, staticcheck, tests, races, API, licence lines
	bash scripts/check.sh

bench: ## the benchmarks beside what they measure
	go test -run '^$$' -bench . -benchmem ./...

matrix: ## every client's format against every backend's; SABOTAGE=1 breaks a codec, and must fail
	bash test/matrix/run.sh

e2e: ## hoosh in front of real engines (test/engines installs them)
	bash test/e2e/run.sh

clients: ## official client libraries and agents against hoosh
	bash test/clients/run.sh

examples: ## the examples with SDKs, which are a module of their own
	bash examples/sdk/check.sh

cover: ## statement coverage over all packages; fails below 85 %
	bash scripts/cover.sh

fuzz: ## each fuzzer for FUZZTIME (10s)
	bash scripts/fuzz.sh

api: ## write api.txt anew after a change of the exported API
	go run ./internal/tools/apidump > api.txt.new && mv api.txt.new api.txt
