"""Tables of a comparison for papers and other programs: LaTeX, Markdown and CSV."""
