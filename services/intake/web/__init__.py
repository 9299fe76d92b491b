"""The page behind an acknowledgement link."""
