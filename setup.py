from __future__ import annotations

import sysconfig
from pathlib import Path

from setuptools import Extension, setup

LIBRARY = Path("bench/native/src")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
"""Free-threaded builds of Python have no limited API (before 3.15): they get a build of their own."""

engine = Extension(
    "bench.native._engine",
    sources=["bench/native/binding.c", *sorted(str(path) for path in LIBRARY.glob("*.c"))],
    depends=sorted(str(path) for path in LIBRARY.glob("*.h")),
    include_dirs=[str(LIBRARY)],
    define_macros=[] if FREE_THREADED else [("Py_LIMITED_API", "0x030B0000")],
    extra_compile_args=["-std=c11", "-O2", "-Wall", "-Wextra", "-fvisibility=hidden"],
    libraries=["m"],
    py_limited_api=not FREE_THREADED,
    optional=True,  # without a compiler the Python twin takes over
)

preload = Extension(
    "bench.lab._preload",  # no module: the virtual lab preloads it
    sources=["bench/lab/preload.c"],
    extra_compile_args=["-std=c11", "-O2", "-Wall", "-Wextra"],
    py_limited_api=not FREE_THREADED,
    optional=True,  # the lab boots without it, but for CPUs with AMX
)

setup(
    ext_modules=[engine, preload],
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
