"""From the repository to AWS: packages, templates, stacks."""
