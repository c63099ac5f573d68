# The chart on a kind cluster; included by the Makefile.
CLUSTER ?= crypto-volatility
RELEASE ?= crypto-volatility
NAMESPACE ?= crypto-volatility
CHART := charts/crypto-volatility
# Values files, separated by spaces; the last one has the last word.
VALUES ?= $(CHART)/values-kind.yaml
ADAPTER_URL := http://127.0.0.1:30800
# A machine that can pull no image makes its cluster, and what is in it, from packages.
CLUSTER_TOOLS ?= ../shared/cluster

KUBECTL = kubectl --context kind-$(CLUSTER) --namespace $(NAMESPACE)
HELM = helm --kube-context kind-$(CLUSTER) --namespace $(NAMESPACE)
need = command -v $(1) >/dev/null || { echo "error: found no $(1) on the PATH, expected it (docs/kubernetes.md)" >&2; exit 2; }
# Images are tagged by what is in them, so that pods change with the code and only then.
tag-of = $(shell docker image inspect --format '{{slice .Id 7 19}}' crypto-volatility/$(1):dev)
TAGS = --set-string image.stream.tag=$(call tag-of,stream),image.ml.tag=$(call tag-of,ml)
RENDER = helm template $(RELEASE) $(CHART) --namespace $(NAMESPACE) $(VALUES:%=--values %) $(TAGS)

.PHONY: kind
kind: kind-install ## a kind cluster with the whole system in it, which answers on this machine's loopback
	@$(MAKE) --no-print-directory kind-ask

.PHONY: kind-cluster
kind-cluster:
	@$(call need,docker)
	@if [ -x $(CLUSTER_TOOLS)/cluster-up ]; then \
		CLUSTER_NAME=$(CLUSTER) $(CLUSTER_TOOLS)/cluster-up --config manifests/kind.yaml; \
	else \
		$(call need,kind); \
		kind get clusters 2>/dev/null | grep -qx $(CLUSTER) || \
			kind create cluster --name $(CLUSTER) --config manifests/kind.yaml --wait 180s; \
	fi
	@$(call need,kubectl)
	@$(call need,helm)
	@kubectl --context kind-$(CLUSTER) get --raw /apis/metrics.k8s.io >/dev/null 2>&1 || \
		echo "note: no metrics-server in the cluster: autoscaling.mode=hpa needs one, nothing else does"

# More images that are to be in the nodes; those loaded at once share their layers.
ALSO ?=
.PHONY: kind-images
kind-images: kind-cluster images ## build the images and load all that the chart names into the cluster's nodes
	@for name in stream ml; do \
		docker tag crypto-volatility/$$name:dev crypto-volatility/$$name:$$(docker image inspect --format '{{slice .Id 7 19}}' crypto-volatility/$$name:dev); \
	done
	@named=$$($(RENDER) | sed -nE 's/^[ -]*image: *"?([^"]+)"?$$/\1/p' | sort -u); here=""; \
	for image in $$named $(ALSO); do docker image inspect "$$image" >/dev/null 2>&1 && here="$$here $$image"; done; \
	kind load docker-image --quiet --name $(CLUSTER) $$here

.PHONY: kind-install
kind-install: kind-images
	@printf 'apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {pod-security.kubernetes.io/enforce: restricted}}\n' \
		$(NAMESPACE) | $(KUBECTL) apply -f - >/dev/null
	@echo "==> helm upgrade --install $(RELEASE)"
	@$(HELM) upgrade --install $(RELEASE) $(CHART) $(VALUES:%=--values %) $(TAGS) \
		--wait --wait-for-jobs --timeout 5m >/dev/null || { $(kind-why); exit 1; }
	@echo "==> helm test $(RELEASE)"
	@$(HELM) test $(RELEASE) --hide-notes --timeout 3m || { $(kind-why); exit 1; }

kind-why = { echo "==> pods"; $(KUBECTL) get pods --output wide; echo "==> warnings"; \
	$(KUBECTL) get events --field-selector type=Warning --sort-by=.lastTimestamp | tail -n 20; } >&2

# Prints a request to /predict and its V2 form, made by the code that is deployed.
BODIES := import json; from featurizer.features import EXAMPLE; \
	from serving.tensor import EXAMPLE_ROW; from serving.v2 import encode_request; \
	print(json.dumps({"rows": [EXAMPLE]})); print(encode_request([EXAMPLE_ROW]).decode())

.PHONY: kind-ask
kind-ask: ## ask the service in the cluster, by /predict and by V2
	@$(call need,curl)
	@adapter=$$($(KUBECTL) get deployment --output name \
		--selector app.kubernetes.io/instance=$(RELEASE),app.kubernetes.io/component=adapter); \
	{ read -r rows && read -r tensors; } < <($(KUBECTL) exec $$adapter --container adapter -- python -c '$(BODIES)') || \
		{ echo "error: found no adapter of release $(RELEASE) that runs in namespace $(NAMESPACE)" >&2; exit 1; }; \
	ask() { printf '\nPOST %s\n%s\n' "$$1" "$$2"; \
		curl --fail --silent --show-error --max-time 10 --header 'Content-Type: application/json' --data "$$2" "$$1" && echo; }; \
	ask $(ADAPTER_URL)/predict "$$rows" && ask $(ADAPTER_URL)/v2/models/baseline/infer "$$tensors"
	@echo; printf '%-11s %s\n' adapter $(ADAPTER_URL) monitor http://127.0.0.1:30809 Grafana http://127.0.0.1:30300 \
		Prometheus http://127.0.0.1:30909 "what next" "helm --namespace $(NAMESPACE) get notes $(RELEASE)"

.PHONY: kind-down
kind-down: ## remove the kind cluster and all that is in it
	@if [ -x $(CLUSTER_TOOLS)/cluster-down ]; then CLUSTER_NAME=$(CLUSTER) $(CLUSTER_TOOLS)/cluster-down; \
	else $(call need,kind); kind delete cluster --name $(CLUSTER); fi

.PHONY: chart-files
chart-files: ## copy models, rules and dashboards into the chart, which holds its own files
	@$(PYTHON) manifests/chart_files.py

.PHONY: manifests
manifests: $(VENV)/.dev chart-files ## write the chart's files/bound from grafana/, and manifests/rendered, the chart as plain YAML (needs helm)
	@$(call need,helm)
	@$(BIN)/python manifests/bound.py
	@$(BIN)/python manifests/render.py

# Where `make package` leaves the chart.
PACKAGES ?= dist
CHART_VERSION = $(shell sed -n 's/^version: //p' $(CHART)/Chart.yaml)
PACKAGE = $(PACKAGES)/crypto-volatility-$(CHART_VERSION).tgz
.PHONY: package
package: chart-files ## pack the chart for an OCI registry into dist/ (needs helm)
	@$(call need,helm)
	@helm package $(CHART) --destination $(PACKAGES)
	@echo "push it: helm push $(PACKAGE) oci://REGISTRY/FOLDER"

.PHONY: sbom
sbom: $(VENV)/.dev package ## pack the chart, and list beside it what it brings and runs (SPDX)
	@$(BIN)/python manifests/sbom.py $(PACKAGE) \
		"$$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)"

# Names of registries have small letters only. GitHub's later steps attest to what was pushed, by name and digest, and
# look for the way into the registry where Docker keeps it.
OCI = $(shell echo "$(REGISTRY)" | tr A-Z a-z)
DOCKER_CONFIG ?= $(HOME)/.docker
LOGIN = --registry-config $(DOCKER_CONFIG)/config.json
.PHONY: publish
publish: sbom ## push the chart: REGISTRY=ghcr.io/somebody/charts, REGISTRY_USER, REGISTRY_TOKEN
	@test -n "$(REGISTRY)" || { echo "error: say where to: make publish REGISTRY=ghcr.io/somebody/charts" >&2; exit 2; }
	@test "$${GITHUB_REF_NAME:-v$(CHART_VERSION)}" = "v$(CHART_VERSION)" || \
		{ echo "error: found the tag $$GITHUB_REF_NAME, expected v$(CHART_VERSION), the chart's version" >&2; exit 2; }
	@mkdir -p $(DOCKER_CONFIG)
	@printf '%s' "$$REGISTRY_TOKEN" | helm registry login $(firstword $(subst /, ,$(OCI))) $(LOGIN) \
		--username "$$REGISTRY_USER" --password-stdin
	@set -o pipefail; helm push $(PACKAGE) oci://$(OCI) $(LOGIN) 2>&1 | tee $(PACKAGES)/pushed.txt
	@{ echo "name=$(OCI)/crypto-volatility"; sed -n 's/^Digest: /digest=/p' $(PACKAGES)/pushed.txt; \
		echo "sbom=$(PACKAGE:.tgz=.spdx.json)"; } >> "$${GITHUB_OUTPUT:-/dev/stdout}"

.PHONY: chart-test
chart-test: $(VENV)/.dev ## check and unit-test the chart (needs helm, no cluster)
	@$(call need,helm)
	@helm lint --strict --quiet $(CHART)
	@for values in $(CHART)/values-*.yaml; do helm lint --strict --quiet $(CHART) --values "$$values" || exit 1; done
	@CHART_TEST=1 $(PYTEST) -q tests/chart

.PHONY: e2e
e2e: $(VENV)/.dev kind-images ## the drill on a kind cluster: install, promote, undo, kill, drain, upgrade, scale, uninstall
	@KIND_TEST=1 $(BIN)/python -m pytest -x tests/e2e/kind --timeout 900

.PHONY: upgrade-drill
upgrade-drill: $(VENV)/.dev ## upgrade release 0.1.0, taken from git, on kind and under compose, lose nothing, and go back
	@before=$$($(BIN)/python -m tests.e2e.before) && $(MAKE) --no-print-directory --jobs=2 --output-sync=target \
		upgrade-kind upgrade-compose ALSO="$$before"

# Side by side: while one loads images into the cluster, the other goes on.
.PHONY: upgrade-kind upgrade-compose
upgrade-kind: kind-images
	@UPGRADE_TEST=1 $(BIN)/python -m pytest -x tests/e2e/kind/test_upgrade.py --timeout 900
upgrade-compose: images
	@UPGRADE_TEST=1 $(BIN)/python -m pytest -x tests/e2e/test_upgrade.py --timeout 900
