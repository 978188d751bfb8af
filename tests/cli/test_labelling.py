"""What `label` is told is done, or refused: nothing of it is dropped in silence."""

import pytest

from streamer.errors import UsageError


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("7 --valence .3 --arousal .3 --import f.csv", "one of"),
        ("--undo --import f.csv", "one of"),
        ("--undo --web", "one of"),
        ("--web --import f.csv", "one of"),
        ("7 --web", "one of"),
        ("--valence .5 --arousal .5", "number"),
        ("--emotion joy", "number"),
        ("--dominance .5 --import f.csv", "number"),
        ("3 --undo --valence .5 --arousal .5", "number"),
        ("--web --emotion joy", "number"),
        ("--scale 1:5", "--scale"),
        ("--undo --scale 1:5", "--scale"),
    ],
)
def test_what_cannot_be_done_together_is_refused(words: str, told: str) -> None:
    from typer.main import get_command

    from streamer.cli import app

    with pytest.raises(UsageError, match=told):
        get_command(app).main(["label", *words.split()], standalone_mode=False)
