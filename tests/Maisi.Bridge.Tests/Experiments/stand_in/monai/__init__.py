"""Stands in for MONAI in tests of the bridge to Auto3DSeg: the names that it needs, and algorithms that take no time."""

__version__ = "stand-in"
