"""Arabic text: its normalisation and the cue lists that rules and features read."""
