"""What another process forgets or replaces, the pages neither show nor bring back."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamer.profiles import forget as forgetting
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.store.profile import Profile
from tests.web.conftest import Client, tone

SAID = {"annotator": "me", "valence": 0.5, "arousal": 0.25, "dominance": None, "emotion": None}


def said(client: Client, path: str, values: dict[str, Any], **headers: str) -> tuple[int, Any]:
    answer = client.ask("POST", path, json.dumps(values).encode(), **headers)
    return answer.status, json.loads(answer.read())


def got(client: Client, path: str, **headers: str) -> int:
    answer = client.ask("GET", path, **headers)
    answer.read()
    return answer.status


def answer_first(client: Client) -> None:
    """Utterance 1 is answered: its clip is in the memory of the pages alone."""
    assert said(client, "/api/labels", {**SAID, "utterance": 1})[0] == 200
    assert got(client, "/clips/1") == 200


@pytest.mark.parametrize("what", ["utterance", "audio", "privacy"])
def test_a_clip_that_another_process_forgot_is_neither_served_nor_written_back(
    client: Client, asked: Profile, what: str
) -> None:
    answer_first(client)
    match what:
        case "utterance":
            forgetting.forget_utterances(asked, [1])
        case "audio":
            forgetting.forget_audio(asked)
        case "privacy":
            asked.audio.delete_all()  # as a run with --privacy embeddings begins
    asked.let_go()
    assert got(client, "/clips/1") == got(client, "/clips/1/picture") == 404
    status, turn = said(client, "/api/undo", {"annotator": "me"})
    assert status == 200
    assert asked.audio.clip(1) is None
    if what != "utterance":
        assert turn["item"]["utterance"] == 1
        assert turn["item"]["has_audio"] is False


def test_numbers_of_a_profile_that_was_replaced_are_not_answered(
    client: Client, asked: Profile, tmp_path: Path
) -> None:
    shown = {"x_streamer_numbering": asked.marks.now().numbering}
    answer_first(client)
    assert got(client, "/api/next", **shown) == 200
    export_profile(asked, tmp_path / "exported", {})
    import_profile(asked, tmp_path / "exported", None, replace=True)
    asked.let_go()
    before = asked.labels.newest()
    for path, values in (
        ("/api/labels", {**SAID, "utterance": 2}),
        ("/api/asides", {"kind": "skip", "utterance": 2, "annotator": "me"}),
        ("/api/corrections", {**SAID, "utterance": 1}),
        ("/api/labels/1/withdrawal", {}),
        ("/api/forget", {"utterance": 2}),
        ("/api/enrollments", {"emotion": "joy", "utterances": [2]}),
        ("/api/undo", {"annotator": "me"}),
    ):
        status, reply = said(client, path, values, **shown)
        assert (status, "replaced" in reply["error"]) == (410, True), path
    assert got(client, "/clips/2", **shown) == 410
    assert got(client, "/clips/1") == 404  # the old profile's clip had that number
    assert asked.labels.newest() == before
    assert 2 in asked.utterances.numbers()
    now = {"x_streamer_numbering": asked.marks.now().numbering}
    assert got(client, "/clips/2", **now) == 200
    assert said(client, "/api/labels", {**SAID, "utterance": 2}, **now)[0] == 200


def test_a_page_says_which_numbers_it_shows(client: Client, asked: Profile) -> None:
    asked.marks.renumbered()
    for page in ("/", "/start", "/live", "/emotions", "/profile"):
        text = client.ask("GET", page).read().decode()
        assert f'data-numbering="{asked.marks.now().numbering}"' in text


def test_nothing_can_come_between_a_numbering_and_its_answer(asked: Profile) -> None:
    """An import that commits while an answer waits for the database is not answered."""
    other = Profile(asked.folder)
    asked.marks.renumbered()
    with asked.of_numbering(asked.marks.now().numbering):
        other.marks.renumbered()
        with pytest.raises(Exception, match="replaced"), asked.database.transaction():
            pytest.fail("a transaction began")
    assert asked.queries.next("me") is not None
    assert tone(1) == asked.audio.clip(1)
    other.close()
