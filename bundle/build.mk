# `sam build` runs this in the root folder, once for each function.
build-%:
	@python3.13 -c 'import pip' 2>/dev/null || { \
		echo "Python 3.13 with pip is needed to compile for Lambda: a python3.13 that runs on the PATH" \
			"(with pyenv: pyenv install 3.13, then PYENV_VERSION=3.13 in front of the command)." >&2; \
		exit 1; }
	@python3.13 bundle/build.py $(ARCHITECTURE) "$(ARTIFACTS_DIR)"
