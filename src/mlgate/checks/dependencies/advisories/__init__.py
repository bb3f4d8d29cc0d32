"""Advisory records in OSV form: reading them, and matching versions against them."""
