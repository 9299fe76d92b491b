"""What the console asks over HTTP: intake, and the sinks of a demonstration."""
