"""Frozen dataclasses whose constructor fills them at once.

That of :mod:`dataclasses` calls ``object.__setattr__`` for each field of a frozen class: twelve microseconds for the
sixty columns of a trial, of which an import makes ten thousand.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

Class = TypeVar("Class", bound=type)


def filled_at_once(kind: Class) -> Class:
    """A class decorator over ``@dataclass(frozen=True, kw_only=True)``: the same arguments, the same errors.

    Raises:
        TypeError: a field may be given by position, or has a default that is made anew for each value.
    """
    fields = dataclasses.fields(kind)
    for field in fields:
        if not field.kw_only or not field.init or field.default_factory is not dataclasses.MISSING:
            raise TypeError(f"{kind.__name__}.{field.name} is no keyword with a plain default")
    defaults = {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    required = {field.name for field in fields} - defaults.keys()
    careful = kind.__init__  # type: ignore[misc] # the class's own, made by the decorator below this one
    count = len(fields)

    def __init__(self: Any, **values: Any) -> None:  # noqa: N807 - it takes the place of the class's own
        own = self.__dict__
        own.update(defaults)
        own.update(values)
        if len(own) != count or not values.keys() >= required:  # an unknown name, or one that is missing
            own.clear()
            careful(self, **values)

    __init__.__wrapped__ = careful  # type: ignore[attr-defined] # inspect.signature follows it
    kind.__init__ = __init__  # type: ignore[misc] # as above
    return kind
