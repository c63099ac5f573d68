# The workflows of GitHub Actions: they run there only, and are checked here; included by the Makefile.
ACTIONLINT ?= go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.PHONY: workflows-test
workflows-test: ## check the GitHub workflows by actionlint (needs go)
	@$(ACTIONLINT)
