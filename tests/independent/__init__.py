"""A second, naive implementation, written from the rules' words and sharing no code.

Everything in this folder but the tests is plain loops over `Fraction` and `Decimal`, as slow as it
likes to be.  The tests hold the product against it.
"""
