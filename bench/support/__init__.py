"""What all rooms use: where files lie, JSON, seeds, and what was typed."""
