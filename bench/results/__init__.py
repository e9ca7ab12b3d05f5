"""The store, the summaries and the leaderboards made from it."""
