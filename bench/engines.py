"""The engines that there are, by the name that a sweep file uses."""

from __future__ import annotations

from bench.dd.engine import DdEngine
from bench.engine import Engine
from bench.fio.engine import FioEngine
from bench.native.engine import NativeEngine

ENGINES: dict[str, type[Engine]] = {"fio": FioEngine, "dd": DdEngine, "native": NativeEngine}
NAMES = tuple(ENGINES)


def by_name(name: str) -> Engine:
    """The engine called ``name``."""
    return ENGINES[name]()
