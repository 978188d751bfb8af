"""Imports point one way, and nothing heavy is imported before it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamer

ROOT = Path(streamer.__file__).parent

# What each part may import of the rest of the package, itself aside. A part is a folder or file.
BOTTOM = {"messages", "errors", "wording"}
CORE = BOTTOM | {"core", "mel"}
STORE = CORE | {"store"}
LOOP = STORE | {
    "hearing",
    "ear",
    "learning",
    "events",
    "session",
    "encoding",
    "keeping",
    "clip_shelf",
}
APP = LOOP | {
    "app", "runtime", "config", "audio", "encoder", "gauges", "ladder", "watchdog", "__version__"
}  # fmt: skip
BESIDE_APP = APP | {
    "labelling",
    "enrolling",
    "rewriting",
    "sitting",
    "summary",
    "exploring",
    "axis",
}
MAY_IMPORT = {
    "messages": set(),
    "errors": set(),
    "wording": set(),
    "mel": {"messages"},
    "axis": set(),
    "core": BOTTOM,
    "audio": CORE,
    "encoder": CORE,
    "store": CORE,
    "config": CORE,
    "events": BOTTOM,
    "ear": CORE,
    "hearing": CORE | {"ear"},
    "learning": STORE,
    "session": LOOP,
    "runtime": LOOP | {"audio"},
    "labelling": STORE | {"learning"},
    "exploring": STORE,
    "summary": STORE | {"learning", "exploring"},
    "clip_shelf": set(),
    "watchdog": set(),
    "keeping": STORE | {"clip_shelf"},
    "encoding": BOTTOM,
    "ladder": BOTTOM | {"encoding", "events", "runtime"},
    "sitting": STORE | {"clip_shelf", "labelling", "learning", "audio"},
    "app": APP,
    "enrolling": BESIDE_APP,
    "rewriting": BESIDE_APP,
    "archive": BESIDE_APP,
    "adding": BESIDE_APP | {"testing"},
    "testing": CORE,
    "demo": BESIDE_APP | {"testing", "screens"},
    "screens": BESIDE_APP,
    "report": BESIDE_APP | {"screens"},
    "gauges": set(),
    "mqtt": BESIDE_APP,
    "service": BOTTOM,
    "bench": BESIDE_APP | {"testing"},
    "doctor": BESIDE_APP,
    "web": BESIDE_APP | {"archive", "report"},
    "evaluation": BESIDE_APP | {"testing"},
    "cli": BESIDE_APP
    | {
        "adding",
        "archive",
        "screens",
        "demo",
        "evaluation",
        "report",
        "web",
        "doctor",
        "bench",
        "mqtt",
        "service",
    },
    "__main__": BOTTOM | {"cli"},
    "__init__": set(),
    # It trains what the others load, beside the app; nothing of it runs on the device.
    "training": APP | {"testing", "evaluation"},
}
CORE_PACKAGES = {"numpy", "river", "streamer"}
# Of the standard library, what the core must not know of: IO, clocks, threads, the system.
NOT_IN_CORE = {
    "asyncio", "concurrent", "ctypes", "datetime", "glob", "importlib", "io", "logging",
    "multiprocessing", "os", "pathlib", "pickle", "queue", "random", "select", "shutil", "signal",
    "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
TRAINING_ONLY = {"torch", "torchaudio", "transformers", "onnx", "sklearn"}


def files() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, wherever in it; of `from a import b`, a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it points"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def parts_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("streamer.")}


def packages_imported(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def test_every_part_has_its_place():
    assert {part_of(path) for path in files()} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    part = part_of(path)
    allowed = MAY_IMPORT[part] | {part}
    assert parts_imported(path) <= allowed, f"{path.relative_to(ROOT)} may import {sorted(allowed)}"


def test_the_parts_that_must_not_know_each_other_do_not():
    """Said twice, so that an edit of the table above does not lose it."""
    for path in files():
        part = part_of(path)
        if part in {"audio", "encoder", "store", "config"}:
            others = {"audio", "encoder", "store", "config"} - {part}
            assert not parts_imported(path) & (others | {"session", "runtime", "app", "cli"}), path
        if part != "training":
            assert "training" not in parts_imported(path), path


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda path: path.name)
def test_the_core_knows_numbers_only(path):
    packages = packages_imported(path)
    outside = packages - CORE_PACKAGES - set(sys.stdlib_module_names)
    assert not outside
    assert not packages & NOT_IN_CORE


def test_nobody_but_training_needs_what_trains():
    for path in files():
        if part_of(path) != "training":
            assert not packages_imported(path) & TRAINING_ONLY, path


def test_sql_is_spoken_in_the_store_alone():
    for path in files():
        if part_of(path) != "store":
            assert "sqlite3" not in packages_imported(path), path


def loaded_by(*modules: str) -> set[str]:
    """The packages in memory after a fresh interpreter imported these modules."""
    code = f"import sys, {', '.join(modules)}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_command_line_opens_without_anything_heavy():
    heavy = {"numpy", "onnxruntime", "pydantic", "pydantic_settings", "river", "scipy",
             "sounddevice", "soundfile", "soxr", "sqlite3", "torch", "sklearn"}  # fmt: skip
    assert not loaded_by("streamer.cli", "streamer.__main__") & heavy


def test_a_label_needs_no_model_and_no_sound():
    loaded = loaded_by(
        "streamer.annotation.labels",
        "streamer.config",
        "streamer.loop.compose",
        "streamer.profiles.status",
    )
    assert not loaded & {"onnxruntime", "soundfile", "sounddevice", "soxr", "river"}
    assert "numpy" in loaded


def test_pages_cost_nothing_where_none_are_served():
    pages = {"starlette", "uvicorn", "jinja2", "anyio"}
    assert not loaded_by("streamer.cli", "streamer.loop.compose", "streamer.loop.run") & pages
    assert pages <= loaded_by("streamer.web.server")


def test_the_core_takes_river_only_where_it_speaks_its_protocol():
    loaded = loaded_by("streamer.learners.affect", "streamer.query.strategies")
    assert "river" not in loaded
    assert "river" in loaded_by("streamer.learners.river.regression")


def test_nothing_is_imported_for_its_stars():
    for path in files():
        assert not any(name.endswith(".*") for name in imported(path)), path
