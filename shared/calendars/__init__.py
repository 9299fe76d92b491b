"""Business time: working days and hours with make-up days, compiled so that counting in them costs a search. Pure."""
