"""Formats: what is read for what it says itself."""
