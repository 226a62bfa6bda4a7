# `sam build` runs this in the root folder, once for each function.
build-%:
	@bundle/python scripts/build.py $(ARCHITECTURE) "$(ARTIFACTS_DIR)"
