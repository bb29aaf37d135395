"""The laptop stack: the real application against embedded AWS services. Never deployed."""
