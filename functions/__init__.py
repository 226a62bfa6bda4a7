"""One file, one operation, one Lambda function."""

from shared import collector

collector.pause()
