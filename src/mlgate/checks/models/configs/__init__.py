"""Texts beside and inside models that tell a loader what to run: one file each, ``KIND = "text"``."""
