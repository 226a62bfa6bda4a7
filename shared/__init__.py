"""What the functions share. Nothing in here knows a route."""
