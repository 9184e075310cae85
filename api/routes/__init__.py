"""One module a kind of caller."""
