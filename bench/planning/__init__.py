"""What a command is going to do: tasks split, models examined, runs and how long they take."""
