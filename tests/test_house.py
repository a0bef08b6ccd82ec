"""The house rules that a test can hold; docs of the rules are in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer

from bench.cli.main import app
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.factors import FACTORS
from permutations.sweep import Sweep
from stripelab.settings import FACTOR_NAMES

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "permutations", "results", "stripelab")
MODULES = tuple(path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
SCRIPTS = tuple(path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file())
HEAVY = ("pandas", "pyarrow", "scipy", "matplotlib", "duckdb", "jinja2", "numpy", "rich", "weasyprint")
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 70


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> set[str]:
    """Top-level names that a module imports, late imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_the_factors_of_a_sweep_are_the_factor_columns_of_the_store() -> None:
    assert tuple(FACTORS) == FACTOR_NAMES


def test_one_door_to_other_programs() -> None:
    doors = {name(path) for path in MODULES if imported(path) & {"subprocess", "pty", "multiprocessing"}}
    assert doors == {"bench/proc.py"}
    calls = re.compile(r"\bos\.(system|popen|exec[lv]\w*|spawn\w+|posix_spawn\w*|fork\w*)\(")
    found = {name(path) for path in MODULES if calls.search(path.read_text())}
    assert found == {"bench/lab/sandbox.py"}, (
        "only the guest is started elsewhere: it inherits descriptors and a terminal"
    )


def test_one_door_to_outputs_that_a_user_names() -> None:
    """A plain open would write over a disk or a trial: files are written by the doors of outputs and of stores."""
    opens = re.compile(r"\.write_(text|bytes)\(|\bopen\([^)\n]*[\"'][rwxa]*[wxa+][bt+]*[\"']|\bOSFile\([^)]*[\"']wb")
    descriptors = {"bench/proc.py", "bench/lab/images.py", "bench/lab/terminal.py"}
    sysfs = {"bench/lab/identity.py", "bench/stack/queue.py", "bench/stack/throttle.py", "bench/trial.py"}
    in_a_folder_of_its_own = {"bench/nightly/install.py", "bench/signing.py"}
    never_over_another = {"results/export/raw.py"}
    found = {name(path) for path in MODULES if opens.search(path.read_text())}
    assert found - descriptors == sysfs | in_a_folder_of_its_own | never_over_another


def test_one_door_to_the_terminal() -> None:
    """Whatever is printed is cleaned: nobody prints by another way, and rich has one console."""
    by_another_way = re.compile(r"(?<![.\w])print\(|\b(typer|click)\.s?echo\(|\bConsole\(")
    found = {name(path) for path in MODULES if by_another_way.search(path.read_text())}
    assert found == set()


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_file_is_one_thing_and_a_function_fits_a_screen(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LINES_OF_A_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LINES_OF_A_FUNCTION, node.name


def test_scripts_and_c_sources_are_short_too() -> None:
    sources = [path for path in (ROOT / "bench").rglob("*") if path.suffix in {".c", ".h", ".sh"}]
    for path in [*sources, *SCRIPTS]:
        assert len(path.read_text().splitlines()) <= LINES_OF_A_FILE, path


def test_nothing_is_left_to_do() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    assert [name(path) for path in MODULES if words.search(path.read_text())] == []


def test_every_package_that_is_imported_is_declared() -> None:
    """And every declared one is imported, so that nobody installs what is not used."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [entry for extra in ("optuna", "pdf") for entry in project["optional-dependencies"][extra]]
    declared = {re.split(r"[<>=!~\[; ]", entry)[0] for entry in [*project["dependencies"], *extras]}
    provided_by = metadata.packages_distributions()
    outside = set().union(*(imported(path) for path in MODULES)) - set(sys.stdlib_module_names) - set(PACKAGES)
    used = {distribution.lower() for module in outside for distribution in provided_by.get(module, [module])}
    assert used == declared


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==", 1) for line in lines)


def test_the_constraints_name_versions_and_no_host() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!+]*", line), line


OPTUNA_BRINGS = {"alembic", "colorlog", "mako", "optuna", "sqlalchemy", "tqdm"}
"""What the extra ``optuna`` adds; the tests run without it."""


def test_every_installed_package_is_pinned_to_the_version_that_is_installed() -> None:
    def canonical(words: str) -> str:
        return re.sub(r"[-_.]+", "-", words).lower()

    pinned = {canonical(package): version for package, version in constraints().items()}
    wanted = {canonical(package) for package in needed("stripelab", {"dev", "notebook", "pdf"})} - {"stripelab"}
    assert {package: metadata.version(package) for package in wanted} == {
        package: pinned.get(package) for package in wanted
    }
    assert set(pinned) - wanted == {"setuptools"} | OPTUNA_BRINGS


def needed(distribution: str, extras: set[str]) -> set[str]:
    """Every distribution that ``distribution`` needs on this machine, itself included."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    open_ones = [(distribution, frozenset(extras))]
    seen = set()
    while open_ones:
        current = open_ones.pop()
        if current in seen:
            continue
        seen.add(current)
        found.add(current[0])
        for text in metadata.requires(current[0]) or ():
            requirement = Requirement(text)
            if requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in (*current[1], "")
            ):
                open_ones.append((requirement.name, frozenset(requirement.extras)))
    return found


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    ask = (
        "import sys\n"
        "from bench.cli.main import outcome\n"
        "assert outcome(['--help']) == 0\n"
        f"print('heavy:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout
    assert said.splitlines()[-1] == "heavy:"


def verbs(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command below ``command`` that does something, with its path."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for word, sub in below.items():
        yield from verbs(sub, f"{path} {word}")


def test_every_verb_can_answer_in_json() -> None:
    interactive = {"stripelab lab shell"}
    found = dict(verbs(typer.main.get_command(app), "stripelab"))
    assert len(found) >= 8
    without = {path for path, verb in found.items() if not any("--json" in parameter.opts for parameter in verb.params)}
    assert without <= interactive


def test_a_make_target_is_listed_with_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.findall(r"^\.PHONY: (\S+)$", text, flags=re.MULTILINE)
    documented = re.findall(r"^([a-z-]+):.*## \S", text, flags=re.MULTILINE)
    assert phony == documented
    said = subprocess.run(["make", "-s", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert [line.split()[1] for line in said.splitlines()] == documented


def test_the_documents_name_no_machine_and_no_registry() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted|deb\.debian|registry\.npmjs|file://|/opt/|index-url", re.IGNORECASE)
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile", *SCRIPTS]
    assert [name(path) for path in [*documents, *MODULES] if hosts.search(path.read_text())] == []


DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_a_document_names_files_and_verbs_that_exist(path: Path) -> None:
    text = path.read_text()
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (path.parent / link).exists()] == []
    known = {full.split()[1] for full, _ in verbs(typer.main.get_command(app), "stripelab")} | {"VERB"}
    shell = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
    named = set(re.findall(r"`stripelab ([a-zA-Z]+)", text)) | set(
        re.findall(r"^stripelab ([a-z]+)", shell, re.MULTILINE)
    )
    assert named <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_a_sweep_file_in_a_document_can_be_planned(path: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for block in (block for block in blocks if "[sweep]" in block):
        file = tmp_path / "sweep.toml"
        file.write_text(block)
        assert make_plan(Sweep.load(file, vocabulary())).points
