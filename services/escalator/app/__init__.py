"""What the escalator does, one use case a file. Each call is one transaction."""
