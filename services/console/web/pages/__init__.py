"""One module a page; each offers `router(site)`."""
