"""Who may do what: API keys, their scopes, and links that acknowledge."""
