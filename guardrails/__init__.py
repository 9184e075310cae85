"""Guards: what may be answered, what may leave, and proof of every decision."""
