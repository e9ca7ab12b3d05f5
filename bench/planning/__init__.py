"""Plan a command: split tasks, examine models, find runs and estimate their time."""
