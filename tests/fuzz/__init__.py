"""Generated requests against the laptop stack, from the document that it serves (schemathesis)."""
