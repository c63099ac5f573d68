# What things cost; included by the Makefile.
.PHONY: bench
bench: $(VENV)/.dev ## measure engine, codec, batch, scale, starts, serving and the whole demo, and write docs/performance.md
	@for each in features scale starting serving pipeline sizing; do $(BIN)/python benchmarks/$$each.py || exit 1; done
	@$(BIN)/python benchmarks/page.py
