"""What users write: the YAML dialect of all files and of ``key=value`` words, and what each file may say."""
