"""What leaves this server: mail and webhooks, and who is told what."""
