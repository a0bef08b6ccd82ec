"""The C library without Python, and the packages that it is shipped in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("bench", "permutations", "results", "stripelab")
STRICT = "-std=c11 -g -O1 -Wall -Wextra -Werror"
SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all"
STABLE = {
    *("_PyArg_ParseTuple_SizeT", "_Py_BuildValue_SizeT", "_Py_Dealloc"),
    *("_Py_FalseStruct", "_Py_NoneStruct", "_Py_TrueStruct"),
}
"""Names with an underscore that the stable ABI has (Python's C API manual, Contents of Limited API)."""
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


def build_tests(program: Path, *flags: str) -> None:
    sources = [*sorted(Path(__file__).parent.glob("*.c")), *(ROOT / "bench/native/src").glob("*.c")]
    include = f"-I{ROOT}/bench/native/src"
    subprocess.run(["gcc", *STRICT.split(), *flags, include, "-o", program, *sources, "-lm", "-lpthread"], check=True)


def test_the_c_library_passes_its_own_tests_under_the_sanitizers(tmp_path: Path) -> None:
    program = tmp_path / "test_library"
    build_tests(program, *SANITIZERS.split())
    done = subprocess.run([program], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stdout + done.stderr


def test_the_c_library_passes_its_own_tests_under_valgrind(tmp_path: Path) -> None:
    program = tmp_path / "test_library"
    build_tests(program)
    watch = ["valgrind", "--quiet", "--error-exitcode=9", "--leak-check=full", "--fair-sched=yes"]
    done = subprocess.run([*watch, program], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stdout + done.stderr


def build_wheel(folder: Path, **environment: str) -> Path:
    """A wheel of a copy of the tree, so that nothing is left in the checkout."""
    tree, out = folder / "tree", folder / "out"
    out.mkdir()
    for package in PACKAGES:
        skipped = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / package, tree / package, ignore=skipped)
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy(ROOT / name, tree / name)
    subprocess.run(
        [sys.executable, "-c", BUILD, out],
        check=True,
        cwd=tree,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
    )
    (wheel,) = out.iterdir()
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_serves_python_3_11_and_every_later_one(wheel: Path) -> None:
    assert re.fullmatch(r"stripelab-[\d.]+-cp311-abi3-linux_\w+\.whl", wheel.name)


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    left_out = {".c", ".h", ".so", ".pyc"}
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in left_out
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted | {"bench/native/_engine.abi3.so", "bench/lab/_preload.abi3.so"}


def test_the_extension_links_the_c_library_alone_and_keeps_to_the_stable_abi(wheel: Path, tmp_path: Path) -> None:
    extension = zipfile.ZipFile(wheel).extract("bench/native/_engine.abi3.so", tmp_path)
    dynamic = subprocess.run(["readelf", "-d", extension], check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)) <= {"libc.so.6", "libm.so.6"}
    symbols = subprocess.run(["nm", "-D", extension], check=True, capture_output=True, text=True).stdout
    assert re.findall(r" T (\w+)", symbols) == ["PyInit__engine"]
    assert set(re.findall(r" U (_Py\w+)", symbols)) <= STABLE


def test_without_a_compiler_the_wheel_comes_without_the_extension_and_its_twin_works(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, CC="/bin/false")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    assert not list(site.rglob("*.so"))
    target = tmp_path / "data"
    target.write_bytes(bytes(65536))
    ask = f"""
import bench.native as n
text = b"reads=1\\nsplit=0:4096:4294967295\\nsplit=1:4096:4294967295\\njob\\nfile=0:65536:{target}"
jobs, _ = n.jobs.run_text(n.LIBRARY, text, None, 10**9)
print(n.__file__, n.IMPLEMENTATION, n.bucket_index(1000), jobs[0]["directions"][0]["ios"], jobs[0]["detail"][:6])
"""
    said = subprocess.run(
        [sys.executable, "-S", "-c", ask],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert said.stdout.split() == [str(site / "bench/native/__init__.py"), "python", "317", "16", "Python"]
