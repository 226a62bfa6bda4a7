"""What `make` runs that is neither deployed nor the development server."""
