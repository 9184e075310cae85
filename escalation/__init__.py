"""When a person continues, and who."""
