"""`make bench`: what this machine does, measured on the real line. Never a timed test: ratios travel, times do not."""
