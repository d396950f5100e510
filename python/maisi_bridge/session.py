"""What running code can say to the process that called it, and ask of it."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

Event = Dict[str, Any]


class Session:
    """The call that runs now. One interpreter serves one call at a time, so there is one session."""

    def __init__(self) -> None:
        self.send: Optional[Callable[[Event], None]] = None
        self.call_id: Optional[int] = None
        self.cancel_requested = False


current = Session()


def progress(fraction: Optional[float] = None, message: Optional[str] = None, stage: Optional[str] = None, **values: float) -> None:
    """Reports progress to the caller: a fraction from 0 to 1, a line of text, the name of a stage, named numbers."""
    if current.send is None or current.call_id is None:
        return
    event: Event = {"type": "progress", "id": current.call_id}
    if fraction is not None:
        event["fraction"] = min(max(float(fraction), 0.0), 1.0)
    if message is not None:
        event["message"] = str(message)
    if stage is not None:
        event["stage"] = str(stage)
    if values:
        event["values"] = {name: float(value) for name, value in values.items()}
    current.send(event)


def cancelled() -> bool:
    """Whether the caller asked to stop. Code that runs long in C can test it between steps and return early."""
    return current.cancel_requested
