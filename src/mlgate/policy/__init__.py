"""The policy: its types, its loading, its waivers, and the verdict it decides."""
