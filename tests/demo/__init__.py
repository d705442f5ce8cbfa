"""A demonstration: an installation filled with believable traffic, for looking at its screens."""
