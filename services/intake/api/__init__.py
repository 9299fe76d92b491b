"""HTTP doors of the register."""
