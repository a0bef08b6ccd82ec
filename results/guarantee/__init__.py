"""Guarantees: a bound, the share of future runs that it covers, and the confidence of saying so.

:func:`guarantee` judges a store, :func:`contract` writes the text.
"""

from results.guarantee.answer import Guarantee, Question
from results.guarantee.judge import from_frames, guarantee
from results.guarantee.text import contract

__all__ = ["Guarantee", "Question", "contract", "from_frames", "guarantee"]
