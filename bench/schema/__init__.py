"""The schemas of user files, and the YAML dialect of all files and ``key=value`` words."""
