"""The one way in which reading, writing or judging results can fail."""

from __future__ import annotations

_REMEDY = "Check the path of the store; `stripelab status STORE` shows what it holds."


class ResultsError(Exception):
    """A failure that a user can act on: what failed, and what to do next.

    Attributes:
        message: what failed, in words.
        remedy: what to do next.
    """

    def __init__(self, message: str, *, remedy: str = _REMEDY) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
