"""The lending rules, one table of cases each; ``sentences.txt`` is the list of all of them."""
