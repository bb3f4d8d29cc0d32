"""Manifest readers, one module each; found by discovery, listed nowhere."""
