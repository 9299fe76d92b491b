"""Drills: a plan in virtual time, through the very rules that run it in earnest. Nothing is sent or stored."""
