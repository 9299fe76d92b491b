"""Pure rules of the register: what a report says, who it is about, what it may publish."""
