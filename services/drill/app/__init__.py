"""What one can do with plans at a desk: test packs and simulate scenarios."""
