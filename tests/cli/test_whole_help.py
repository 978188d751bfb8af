"""No help is cut in 80 columns."""

import pytest
import typer.main
from click import Context
from typer.core import TyperGroup

from streamer.cli import app
from streamer.cli.whole_help import first_sentence


def groups() -> list[tuple[str, TyperGroup]]:
    whole = typer.main.get_command(app)
    assert isinstance(whole, TyperGroup)
    below = [(name, one) for name, one in whole.commands.items() if isinstance(one, TyperGroup)]
    return [("streamer", whole), *below]


@pytest.mark.parametrize(("name", "group"), groups(), ids=lambda value: str(value)[:20])
def test_every_command_has_its_whole_first_sentence(name: str, group: TyperGroup) -> None:
    context = Context(group, info_name=name, max_content_width=80, terminal_width=80)
    text = " ".join(group.get_help(context).split())
    assert "..." not in text.replace("[ARGS]...", "")
    for command in group.commands.values():
        assert first_sentence(command.help or "nothing is said") in text
