"""The exam: builds the service as it runs and grades it."""
