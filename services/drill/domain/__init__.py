"""The simulation kernel and the comparison with what was expected. Pure: time is what the scenario says."""
