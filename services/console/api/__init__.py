"""JSON for the command line and other systems."""
