"""One file a verb; thin: read the words, call the line, print."""
