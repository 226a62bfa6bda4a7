"""One file, one operation, one Lambda function."""
