"""The classifier's use cases."""
