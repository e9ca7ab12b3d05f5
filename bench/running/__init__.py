"""The main jobs: runs and learning curves, from the plan to the stored results."""
