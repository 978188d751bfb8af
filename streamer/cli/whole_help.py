"""Help that is never cut: click ends a command's line in dots where it does not fit."""

import re
from typing import Any

from typer.core import TyperGroup


class WholeHelp(TyperGroup):
    """A group whose list of commands has the whole first sentence of each, on several lines."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = []
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, first_sentence(command.help or "")))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def first_sentence(text: str) -> str:
    """
    >>> first_sentence("List, e.g. by name: all.\\n\\nMore of it.")
    'List, e.g. by name: all.'
    """
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return re.split(r"(?<=\w{3}[.!?])\s", paragraph)[0]
