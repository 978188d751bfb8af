"""Pages of the documentation that are made from the code or from files outside docs/.

`mkdocs build` calls the functions `on_*`. A page holds a line `<!-- NAME -->` where the text made
by the function of that name in `MADE` goes.
"""

import html
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import typer.main
from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).parents[1]
# Files outside docs/, and the page that shows each.
SHOWN: Final = {
    "benchmarks/README.md": "benchmarks.md",
    "models/README.md": "encoder.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changes.md",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pictures that the files outside docs/ show."""
    for file in SHOWN:
        text = (ROOT / file).read_text(encoding="utf-8")
        for picture in re.findall(r"!\[[^\]]*\]\(([^):]+)\)", text):
            place = (ROOT / file).parent / picture
            files.append(File.generated(config, picture, abs_src_path=str(place)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill the places that are made from the code, and turn links to files outside docs/."""
    place = re.fullmatch(r"<!-- (\w+) -->", markdown.strip())
    source = {Path(shown).stem: file for file, shown in SHOWN.items()}
    if place and place[1] in source:
        file = source[place[1]]
        return _linked(
            (ROOT / file).read_text(encoding="utf-8"), Path(file), Path(page.file.src_uri)
        )
    markdown = re.sub(r"<!-- (\w+) -->", lambda place: MADE[place[1]](), markdown)
    return _linked(markdown, Path("docs", page.file.src_uri), Path(page.file.src_uri))


def _linked(markdown: str, file: Path, page: Path) -> str:
    """The text of `file` on `page`: links lead to the page that shows a file, or are plain text."""

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = Path(os.path.normpath(file.parent / target)).as_posix()
        if path in SHOWN:
            path = f"docs/{SHOWN[path]}"
        if not path.startswith("docs/"):
            return f"{text} (`{path}`)"
        return f"[{text}]({os.path.relpath(path.removeprefix('docs/'), page.parent)}{anchor})"

    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)", link, markdown)


def commands() -> str:
    """Every verb with its arguments and options, as `--help` has them."""
    from streamer.cli import app

    return "\n".join(_command(typer.main.get_command(app), "streamer"))


def _command(command: Any, name: str) -> Iterator[str]:
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        if name != "streamer":
            yield f"## {name}\n\n{command.help}\n"
        for part, below in command.commands.items():
            yield from _command(below, f"{name} {part}")
        return
    context = click.Context(command, info_name=name)
    usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece)
    yield f"## {name}\n\n{command.help}\n\n```text\n{name} {usage}\n```\n"
    rows = [row for parameter in command.params if (row := _row(parameter, context))]
    if rows:
        yield "| option | meaning |\n|---|---|"
        yield from rows
        yield ""


def _row(parameter: Any, context: click.Context) -> str:
    record = parameter.get_help_record(context)
    if record is None:
        return ""
    option, meaning = (text.replace("|", "\\|") for text in record)
    return f"| `{option}` | {html.escape(meaning).replace('[', '&#91;')} |"


def settings() -> str:
    """Every setting with its default and meaning, from the fields of `Config`."""
    from streamer.config import Config

    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Config.model_fields.items():
        made = field.default_factory is not None or field.default is None
        default = "" if made else f"`{field.default}`"
        rows.append(f"| `{name}` | {default} | {field.description or ''} |")
    return "\n".join(rows)


def layers() -> str:
    """The import rule, from the test that holds it."""
    text = (ROOT / "tests" / "test_imports.py").read_text(encoding="utf-8")
    block = re.search(r"^LAYERS = \((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    rows = ["| layer | rooms |", "|---|---|"]
    for number, line in enumerate(re.findall(r"\{(.*?)\}", block[1])):
        names = ", ".join(f"`{name}`" for name in re.findall(r'"(\w+)"', line))
        rows.append(f"| {number} | {names} |")
    return "\n".join(rows)


MADE: Final[dict[str, Callable[[], str]]] = {
    "commands": commands,
    "settings": settings,
    "layers": layers,
}
