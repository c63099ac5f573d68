# The system in containers; included by the Makefile.
COMPOSE ?= docker compose --env-file $(or $(ENV_FILE),env/replay.env)
WHO ?= $(shell id -un)@$(shell hostname)

.PHONY: images
images: ## build the container images `stream` and `ml`
	@REVISION=$$(git rev-parse --short HEAD 2>/dev/null || echo unknown) docker compose build topics mlserver

.PHONY: up
up: images ## start everything in containers and wait until healthy; ENV_FILE=.env for the live market
	@$(COMPOSE) up -d --wait

.PHONY: down
down: ## end the containers; their data stay (`docker compose down -v` removes these too)
	@$(COMPOSE) --profile '*' down

.PHONY: rollback
rollback: ## let the other variant serve, under compose: VARIANT=baseline, and back with VARIANT=ml
	@$(COMPOSE) exec -T adapter python -m adapter variant \
		"$(or $(VARIANT),$(error say which variant is to serve: make rollback VARIANT=baseline))" --by "$(WHO)"

# In a call of a function a comma would end an argument.
comma := ,
.PHONY: deploy-model
deploy-model: ## have MLServer take a model folder: DIR=folder, or TO=previous; BECAUSE=reason
	@$(if $(DIR)$(filter previous,$(TO)),,$(error say what to deploy: make deploy-model DIR=folder, or TO=previous))
	@$(if $(DIR),test -d "$(DIR)" || { echo "error: found no folder $(DIR)" >&2; exit 2; })
	@mkdir -p "$${KEPT:-.run/models}"
	@$(COMPOSE) run --rm --no-deps --quiet-pull --user "$$(id -u):$$(id -g)" \
		$(if $(DIR),-v "$(abspath $(DIR)):/candidate:ro$(comma)z") deploy \
		$(if $(DIR),/candidate,--to-previous) --who "$(WHO)" $(if $(BECAUSE),--because "$(BECAUSE)")

.PHONY: compose-test
compose-test: $(VENV)/.dev ## build the images, start everything, try it, break it, stop it
	@$(MAKE) --no-print-directory images
	@COMPOSE_TEST=1 $(BIN)/python -m pytest tests/e2e/test_compose.py --timeout 600

.PHONY: drill
drill: $(VENV)/.dev images ## start, predict, break, recover and roll back under compose, with a report in .run/drill/
	@mkdir -p .run/drill
	@set -o pipefail; COMPOSE_TEST=1 $(BIN)/python -m pytest tests/e2e/test_compose.py --timeout 600 \
		-v --durations=0 --junit-xml .run/drill/report.xml | tee .run/drill/report.txt
