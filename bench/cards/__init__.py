"""Folders in the form of the Hugging Face Hub: a task's data, and a stored run's model, each with its card."""
