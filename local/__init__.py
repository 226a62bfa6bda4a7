"""The development server. Nothing of it is ever deployed."""
