"""Use cases of the register, one a file."""
