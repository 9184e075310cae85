"""One file per kind of trouble a text can hold."""
