"""Doors of the command line that read this service's own schema."""
