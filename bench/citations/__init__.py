"""What to cite: the references of tasks, models and methods, and the protocol of stored runs in a paragraph."""
