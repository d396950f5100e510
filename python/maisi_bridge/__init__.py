"""The Python side of Maisi.Bridge: what its worker process runs.

Code that runs in a worker may call :func:`progress` and :func:`cancelled`; outside a worker both do nothing.
"""

from __future__ import annotations

from maisi_bridge.session import cancelled, progress

__all__ = ["cancelled", "progress"]
__version__ = "0.1.0"
