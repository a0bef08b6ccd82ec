"""The words of this version of ``bench`` that a sweep file may use."""

from __future__ import annotations

from bench import engines
from bench.fio import rails
from bench.lab.profiles import DISK_PROFILES
from bench.native import words
from bench.stack import filesystems
from permutations.vocabulary import Vocabulary


def vocabulary() -> Vocabulary:
    """Filesystems, engines, disk profiles, and options of fio and of the native engine, that can be used."""
    return Vocabulary(
        filesystems=("raw", *filesystems.names()),
        engines=engines.NAMES,
        disk_profiles=DISK_PROFILES,
        fio_options=tuple(sorted(rails.ALLOWED)),
        ioengines=tuple(sorted(rails.ENGINES)),
        native_options=words.SWEEP_OPTIONS,
        native_ioengines=words.SWEEP_IOENGINES,
    )
