"""Containers: they hold other files, and hand each back to be routed by its content."""
