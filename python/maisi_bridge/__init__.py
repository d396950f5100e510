"""The Python side of Maisi.Bridge: what its worker process runs."""

__version__ = "0.1.0"
