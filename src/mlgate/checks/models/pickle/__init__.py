"""What a pickle does, read without running it: an unpickler on symbols, and what it saw."""
