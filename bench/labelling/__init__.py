"""The labelling loop: what to label next, and labels back into a task."""
