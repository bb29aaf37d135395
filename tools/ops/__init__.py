"""``make ops``: what an operator does to a running platform, each thing a command."""
