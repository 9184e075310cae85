"""People who work here: accounts, passwords, sessions and what they want to be told."""
