"""The door through which time comes in."""
