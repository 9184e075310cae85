"""The agents' desk behind its routes: what is read, what is done, and the words for it."""
