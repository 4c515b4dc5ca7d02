"""FINN's folding configurations, read and written, so that both tools can fold one network alike."""
