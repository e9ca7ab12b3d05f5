"""What a labelled sample says about an archive: the shares of the labels, with intervals."""
