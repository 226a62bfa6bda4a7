"""What the functions share. Nothing in here names a route."""
