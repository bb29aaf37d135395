"""A year of a book of loans, day by day, and every daily file held against the lists."""
