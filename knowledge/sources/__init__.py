"""Help articles read from files; `folder.read` is the entrance."""
