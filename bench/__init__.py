"""Benchmarks: each a module with ``main(arguments) -> int``, run by ``python -m bench <name>``."""
