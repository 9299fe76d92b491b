"""Other services that intake asks."""
