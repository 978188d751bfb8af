"""Imports point one way, and nothing heavy is imported before it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamer

ROOT = Path(streamer.__file__).parent

# Lowest first. A part, a folder or a file directly in the package, may import parts of lower layers
# and LEARNERS; what else it may import is in BESIDE.
LAYERS = (
    {"types", "errors", "text", "events", "system"},
    {"audio", "encoders", "learners", "query", "store", "config"},
    {"loop"},
    {"annotation"},
    {"profiles"},
    {"report", "terminal", "mqtt"},
    {"ops", "web"},
    {"cli"},
    {"__main__"},
)
BESIDE = {
    "events": {"types"},
    "system": {"errors"},
    "text": {"errors"},
    "audio": {"learners"},
    "encoders": {"learners"},
    "query": {"learners"},
    "store": {"learners"},
    "config": {"audio", "learners"},  # the settings of the segmentation, which a user may set
    "cli": {"evaluation", "testing"},
    "ops": {"testing"},  # the demo's and the benchmark's made-up speech
    # At the side: evaluation and training may import all of the product, testing its lower half.
    "evaluation": set().union(*LAYERS) - {"__main__", "cli"} | {"testing"},
    "training": set().union(*LAYERS) - {"__main__", "cli"} | {"testing", "evaluation"},
    "testing": LAYERS[0] | LAYERS[1],
}
NUMERIC_PACKAGES = {"numpy", "river", "streamer"}
# Of the standard library, what learners and strategies must not know of: IO, clocks, threads...
NOT_NUMERIC = {
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


def allowed(part: str) -> set[str]:
    below: set[str] = set()
    for layer in LAYERS:
        if part in layer:
            return below | BESIDE.get(part, set()) | {part, "__version__"}
        below |= layer
    return BESIDE[part] | {part, "__version__"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    if path != ROOT / "__init__.py":
        assert parts_imported(path) <= allowed(part_of(path))


def test_the_first_room_stays_small_enough_to_see_at_a_look():
    assert len(list(ROOT.glob("*.py"))) <= 8
    assert len([folder for folder in ROOT.iterdir() if (folder / "__init__.py").exists()]) <= 17


def test_nobody_imports_what_trains():
    """Said apart from the layers, so that an edit of theirs does not lose it."""
    for path in files():
        if part_of(path) != "training":
            assert "training" not in parts_imported(path), path


@pytest.mark.parametrize(
    "path",
    [path for part in ("learners", "query") for path in sorted((ROOT / part).rglob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_learners_and_query_strategies_know_numbers_only(path):
    packages = packages_imported(path)
    outside = packages - NUMERIC_PACKAGES - set(sys.stdlib_module_names)
    assert not outside
    assert not packages & NOT_NUMERIC


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


def test_river_is_loaded_only_where_its_protocol_is_spoken():
    loaded = loaded_by("streamer.learners.affect", "streamer.query.strategies")
    assert "river" not in loaded
    assert "river" in loaded_by("streamer.learners.river")


def test_nothing_is_imported_for_its_stars():
    for path in files():
        assert not any(name.endswith(".*") for name in imported(path)), path
