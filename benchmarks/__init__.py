"""What the performance page claims, to be run again."""
