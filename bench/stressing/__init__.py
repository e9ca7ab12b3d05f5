"""Stress tests: how much a stored run's score falls where its test texts are written or cut otherwise."""
