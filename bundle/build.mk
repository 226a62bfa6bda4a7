# `sam build` runs this in the root folder, once for each function.
build-%:
	@bundle/require-python.sh
	@python3.13 bundle/build.py $(ARCHITECTURE) "$(ARTIFACTS_DIR)"
