#!/bin/sh
# Byte code is only good for the Python that made it, so that it takes Lambda's.
python3.13 -c 'import pip' 2>/dev/null && exit
echo "This needs a python3.13 with pip that runs from the PATH: Lambda's Python compiles what it will" \
	"run there. With pyenv: pyenv install 3.13, then put PYENV_VERSION=3.13 before the command." >&2
exit 1
