"""The command line: one module a group of commands. It talks to the services over HTTP as anybody may."""
