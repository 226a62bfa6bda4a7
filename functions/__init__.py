"""One file, one operation, one Lambda function."""

from shared import imports

imports.begin()
