"""The protocol: splits, search, cells, and the processes that run them."""
