"""README and docs name only commands, options, files and settings that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from streamer.cli import app
from streamer.config import Config

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "models/*.md", "benchmarks/*.md", "examples/*.md")
    for path in ROOT.glob(pattern)
    if path.name not in {"CHANGELOG.md", "THIRD_PARTY.md"}
)
EVERYWHERE = {"--help", "-h", "--version"}


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_in(text: str) -> Iterator[str]:
    """Every line of a code block, and every piece of inline code."""
    blocks = re.findall(r"^ *```(?:text|bash|sh|console)?\n(.*?)^ *```", text, re.M | re.S)
    for block in blocks:
        yield from block.splitlines()
    rest = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    yield from (code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", rest))


def commands_in(text: str) -> Iterator[list[str]]:
    """The words after `streamer` in code, without comments."""
    for code in code_in(text):
        for part in re.split(r"\\?\||&&", code.split("  #")[0].split(" # ")[0]):
            found = re.match(r"\s*(?:\S*bin/)?streamer ([a-z].*)", part)
            if found:
                yield shlex.split(re.sub(r"[{}()']", " ", found[1]))


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_commands_and_options_exist(document):
    for words in commands_in(document.read_text(encoding="utf-8")):
        command = typer.main.get_command(app)
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, f"streamer {' '.join(words)}"
            command = command.commands[words.pop(0)]
        known = {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        } | EVERYWHERE
        for word in words:
            if word == "--":  # what follows are another command's options
                break
            if word.startswith("--"):
                assert word.split("=")[0].rstrip(",.;") in known, f"{command.name}: {word}"


def test_a_wrong_option_would_be_found():
    assert list(commands_in("`streamer run --no-such`")) == [["run", "--no-such"]]
    assert list(commands_in("```\nls | streamer run --input -   # hear\n```")) == [
        ["run", "--input", "-"]
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_files_that_are_named_exist(document):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)", text):
        assert (document.parent / target).exists(), target
    for code in code_in(text):
        for path in re.findall(
            r"(?<![\w./-])((?:streamer|tests|benchmarks|scripts|models|docs|examples|\.ci)/[\w./-]+)",
            code,
        ):
            assert (ROOT / path.rstrip("./")).exists(), path
        for module in re.findall(r"python -m ((?:benchmarks|streamer)[\w.]*)", code):
            place = ROOT / module.replace(".", "/")
            assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module
        for target in re.findall(r"^\s*make ([a-z]+)", code):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_tests_that_are_named_exist(document):
    for line in document.read_text(encoding="utf-8").splitlines():
        for file, name in re.findall(r"(test_\w+\.py)::(test_\w+)", line):
            found = [path.read_text(encoding="utf-8") for path in ROOT.glob(f"tests/**/{file}")]
            assert any(f"def {name}(" in text for text in found), f"{file}::{name}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=names)
def test_variables_of_the_environment_are_settings(document):
    known = {f"STREAMER_{name.upper()}" for name in Config.model_fields} | {
        "STREAMER_SEGMENTATION__NAME"
    }
    text = document.read_text(encoding="utf-8")
    found = set(re.findall(r"\bSTREAMER_[A-Z_]+[A-Z]\b", text))
    assert found <= known, found - known


def test_every_command_is_in_the_overview():
    text = (ROOT / "README.md").read_text(encoding="utf-8") + "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")
    )
    for verb in typer.main.get_command(app).commands:
        assert f"streamer {verb}" in text, verb
