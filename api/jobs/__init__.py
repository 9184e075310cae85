"""What runs by itself: the kinds, the lease and the worker."""
