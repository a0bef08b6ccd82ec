from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from permutations.reading.toml_lines import Path, locate

DOCUMENT = '''\
# a comment [not.a.table]
a = 1
"b.x".y = [ # a bracket [ in a comment
  1, """
two
lines""""", 3,
  [4,
   5], {k = 1, l = { m = "}" }},
]
[t]
x.y.z = 'a#b' # trailing
[[w]]
n = 1
[w.o]
p = 2

[[w]]
n = 1979-05-27 07:32:32
 [ w . "o" ]
p = """quote \\""" inside"""
[[w.z]]
k = \'\'\'it's\'\'\'
'''


def test_lines_of_a_document_read_by_eye():
    lines = locate(DOCUMENT)
    assert lines["a",] == 2
    assert lines["b.x", "y"] == 3
    assert lines["b.x", "y", 0] == 4
    assert lines["b.x", "y", 1] == 4
    assert lines["b.x", "y", 2] == 6
    assert lines["b.x", "y", 3, 1] == 8
    assert lines["b.x", "y", 4, "l", "m"] == 8
    assert lines["t",] == 10
    assert lines["t", "x", "y", "z"] == 11
    assert lines["w", 0] == 12
    assert lines["w", 0, "o", "p"] == 15
    assert lines["w", 1] == 17
    assert lines["w", 1, "n"] == 18
    assert lines["w", 1, "o"] == 19
    assert lines["w", 1, "o", "p"] == 20
    assert lines["w", 1, "z", 0] == 21
    assert lines["w", 1, "z", 0, "k"] == 22


def test_windows_line_ends_count_once():
    assert locate("a = 1\r\n\r\n[b]\r\nc = [\r\n1,\r\n2]\r\n")["b", "c", 1] == 6


def paths_of(value: Any, at: Path = ()) -> list[Path]:
    """Every path of a decoded document, arrays and tables within arrays included."""
    if isinstance(value, dict):
        return [path for key, inner in value.items() for path in [(*at, key), *paths_of(inner, (*at, key))]]
    if isinstance(value, list):
        return [path for n, inner in enumerate(value) for path in [(*at, n), *paths_of(inner, (*at, n))]]
    return []


def test_every_path_of_a_document_has_a_line():
    assert set(paths_of(tomllib.loads(DOCUMENT))) <= set(locate(DOCUMENT))


# A writer of TOML that knows on which line it puts what: the property is that the locator agrees.

SPECIAL = "ab.#[]{}=,'\"\\\n\t é"
names = st.one_of(st.text("abcXYZ019_-", min_size=1, max_size=5), st.text(SPECIAL, min_size=1, max_size=5).map(str))
strings = st.text(SPECIAL, max_size=12)
scalars = st.one_of(strings, st.integers(-(10**6), 10**6), st.booleans(), st.floats(-1e6, 1e6, width=32))
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3))
)
bodies = st.dictionaries(names, values, max_size=4)


class Writer:
    """Writes statements, and notes the line of each path."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Path, int] = {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def noise(self) -> None:
        self.text += self.draw(st.sampled_from(["", "", " ", "\t", "\n", ' # c ] } = [[x]] "\n', "\n\n  "]))

    def key(self, name: str) -> None:
        bare = name.isascii() and name.replace("-", "a").replace("_", "a").isalnum()
        if bare and self.draw(st.booleans()):
            self.text += name
        elif "'" not in name and "\n" not in name and self.draw(st.booleans()):
            self.text += f"'{name}'"
        else:
            self.text += json.dumps(name)

    def string(self, value: str) -> None:
        style = self.draw(st.sampled_from(["basic", "literal", "multi", "multi-literal"]))
        if style == "literal" and "'" not in value and "\n" not in value:
            self.text += f"'{value}'"
        elif style == "multi" and not value.startswith("\n"):
            escaped = value.replace("\\", "\\\\").replace('"""', '\\"""')
            self.text += f'"""{escaped}"""' if not escaped.endswith('"') else json.dumps(value)
        elif style == "multi-literal" and "'" not in value and not value.startswith("\n"):
            self.text += f"'''{value}'''"
        else:
            self.text += json.dumps(value)

    def value(self, value: Any, at: Path) -> None:
        if isinstance(value, str):
            self.string(value)
        elif isinstance(value, list):
            self.text += "["
            for position, inner in enumerate(value):
                self.noise()
                self.lines[*at, position] = self.line
                self.value(inner, (*at, position))
                self.noise()
                last = position == len(value) - 1
                self.text += "," if not last or self.draw(st.booleans()) else ""
            self.noise()
            self.text += "]"
        elif isinstance(value, dict):
            self.text += "{"
            for position, (name, inner) in enumerate(value.items()):
                self.text += ", " if position else " "
                self.pair(name, inner, at)
            self.text += "}"
        elif isinstance(value, float):
            self.text += f"{value:.6f}"
        else:
            self.text += json.dumps(value)

    def pair(self, name: str, value: Any, base: Path) -> None:
        self.lines[*base, name] = self.line
        self.key(name)
        self.text += self.draw(st.sampled_from(["=", " = ", "\t="]))
        self.value(value, (*base, name))

    def body(self, body: dict[str, Any], base: Path) -> None:
        for name, value in body.items():
            self.noise()
            self.pair(name, value, base)
            self.text += self.draw(st.sampled_from(["\n", " # c = [\n"]))

    def header(self, path: Path, name: str, brackets: int) -> None:
        self.noise()
        self.text += "\n"
        self.lines[path] = self.line
        self.text += "[" * brackets
        self.key(name)
        self.text += "]" * brackets + "\n"


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[Path, int]]:
    writer = Writer(draw)
    tables = draw(st.dictionaries(names, st.one_of(bodies, st.lists(bodies, min_size=1, max_size=3)), max_size=3))
    root = {name: value for name, value in draw(bodies).items() if name not in tables}
    writer.body(root, ())
    for name, table in tables.items():
        if isinstance(table, dict):
            writer.header((name,), name, 1)
            writer.body(table, (name,))
        for position, each in enumerate(table if isinstance(table, list) else []):
            writer.header((name, position), name, 2)
            writer.lines.setdefault((name,), writer.lines[name, position])
            writer.body(each, (name, position))
    return writer.text, writer.lines


@given(documents())
def test_the_locator_agrees_with_whoever_wrote_the_document(document):
    text, lines = document
    decoded = tomllib.loads(text)
    assert locate(text) == lines
    assert set(paths_of(decoded)) == set(lines)
