"""Use cases of the console."""
