"""Where a model runs: a process of its own that has given up what it does not need."""
