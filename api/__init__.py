"""The door: HTTP, command line, database, environment and clock."""
