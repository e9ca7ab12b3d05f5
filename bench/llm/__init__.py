"""Language models behind an OpenAI-compatible endpoint: prompts, requests, their cache, and their answers."""
