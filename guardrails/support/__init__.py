"""What speaks for and against a sentence in the passages that it cites; `guardrails/checks/grounding.py` is the door."""
