"""What the console says about events and cases: pure."""
