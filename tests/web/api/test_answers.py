"""The label page's requests over HTTP, against the store."""

import json
from typing import Any

import pytest

from streamer.audio.clips import from_flac
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import DIMENSION
from tests.web.conftest import Client


def got(client: Client, path: str) -> dict[str, Any]:
    answer = client.ask("GET", path)
    text = answer.read()
    assert answer.status == 200, text
    return json.loads(text)


def posted(client: Client, path: str, status: int = 200, /, **values: Any) -> dict[str, Any]:
    answer = client.ask("POST", path, json.dumps(values).encode())
    text = answer.read()
    assert answer.status == status, text
    return json.loads(text)


def answer(client: Client, utterance: int, status: int = 200, **said: Any) -> dict[str, Any]:
    values = {"utterance": utterance, "annotator": "me", "valence": 0.5, "arousal": -0.25} | said
    return posted(client, "/api/labels", status, **values)


def item_of(client: Client, **query: str) -> int | None:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    item = got(client, f"/api/next?{words}")["item"]
    return item and item["utterance"]


def test_what_is_asked_is_shown_without_its_prediction(client):
    turn = got(client, "/api/next")
    assert turn["item"]["utterance"] == 1
    assert turn["item"]["has_audio"]
    text = json.dumps(turn)
    for word in ("prediction", "mean", "low", "informativeness", "verdict", "predicted"):
        assert f'"{word}"' not in text
    assert turn["progress"] == {
        "left": 30, "answered": 0, "spared": 5, "skipped": 0, "cannot_tell": 0, "repeats": 0,
        "mean_difference": None,
    }  # fmt: skip


def test_an_answer_is_stored_learned_and_set_beside_the_guess(client, asked):
    saved = answer(client, 1, emotion=" Joy ", dominance=0.1)
    entry = asked.labels.effective()[0]
    assert (entry.label.valence, entry.label.emotion, entry.label.annotator) == (0.5, "joy", "me")
    assert saved["answer"]["dominance"] == 0.1
    assert saved["first"] is None
    was, now = saved["predicted"]["valence"]["mean"], saved["now"]["valence"]["mean"]
    assert abs(now - 0.5) < abs(was - 0.5)
    profile_model = ProfileModel(asked)
    profile_model.follow()
    assert profile_model.model.labels == 1
    assert now == profile_model.model.predict(asked.utterances.get(1)).valence.mean
    assert item_of(client) == 2
    assert got(client, "/api/next")["emotions"][0] == {"name": "joy", "key": "1"}
    assert got(client, "/api/utterances/1/change")["now"] == saved["now"]


def test_the_oldest_first_if_so_wished(client, asked):
    asked.database.write("UPDATE queries SET score = utterance")
    assert item_of(client) == 30
    assert item_of(client, order="oldest") == 1
    assert client.ask("GET", "/api/next?order=newest").status == 400


def test_skipped_ones_come_again_when_asked_for_and_only_to_who_skipped(client):
    for utterance in (1, 2):
        posted(client, "/api/asides", kind="skip", utterance=utterance, annotator="me")
    assert item_of(client) == 3
    assert item_of(client, annotator="you") == 1
    assert got(client, "/api/next")["progress"]["skipped"] == 2
    posted(client, "/api/skipped", annotator="me")
    assert item_of(client) == 1


def test_cannot_tell_closes_it_and_deletes_the_audio(client, asked):
    posted(client, "/api/asides", kind="cannot tell", utterance=1, annotator="me")
    assert asked.audio.clip(1) is None
    assert item_of(client, annotator="you") == 2


def test_undo_takes_back_one_after_the_other_whatever_it_was(client, asked):
    answer(client, 1)
    posted(client, "/api/asides", kind="skip", utterance=2, annotator="me")
    posted(client, "/api/asides", kind="cannot tell", utterance=3, annotator="me")
    answer(client, 4, annotator="you")
    clip = b"".join([client.ask("GET", "/clips/1").read()])
    undone = [posted(client, "/api/undo", annotator="me")["item"] for _ in range(4)]
    assert [item and item["utterance"] for item in undone] == [3, 2, 1, None]
    assert undone[2]["answered"]["valence"] == 0.5
    assert all(item["has_audio"] for item in undone[:3])
    assert asked.labels.count() == 1  # the other's
    assert asked.audio.clip(1) == clip
    assert ProfileModel(asked).model.labels == 1


def test_the_audio_of_what_was_answered_leaves_the_disk_not_the_sitting(client, asked):
    before = client.ask("GET", "/clips/5").read()
    answer(client, 5)
    assert asked.audio.clip(5) is None
    after = client.ask("GET", "/clips/5")
    assert after.getheader("content-type") == "audio/flac"
    assert after.read() == before
    assert from_flac(before).shape == (8_000,)
    assert client.ask("GET", "/clips/33").status == 404


def test_a_picture_has_waveform_mel_and_pitch(client):
    picture = got(client, "/clips/10/picture")
    assert picture["duration_s"] == 0.5
    assert picture["bands"] * picture["frames"] * 4 / 3 == pytest.approx(len(picture["mel"]), abs=4)
    places = [place for place in picture["pitch"][10:40] if place is not None]
    assert len(places) > 25
    # 200 Hz lies 0.52 of the way from 60 to 600 Hz, by octaves.
    assert places == pytest.approx([0.523] * len(places), abs=0.01)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"valence": 1.5}, 400), ({"valence": "0.5"}, 400),
        ({"valence": None, "arousal": None}, 400), ({"arousal": None}, 400),
        ({"valence": None, "arousal": None, "dominance": 0.5, "emotion": "joy"}, 400),
        ({"emotion": "x" * 65}, 400), ({"emotion": ""}, 400), ({"annotator": ""}, 400),
        ({"annotator": "a\nb"}, 400), ({"utterance": 999}, 404), ({"utterance": "1"}, 400),
        ({"utterance": 10**30}, 404), ({"more": 1}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_and_nothing_stored(client, asked, said, status):
    values = {"utterance": 1, "annotator": "me", "valence": 0.5, "arousal": 0.5} | said
    assert posted(client, "/api/labels", status, **values)["error"]
    assert asked.labels.newest() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'{"valence": NaN}'])
def test_what_is_no_answer_at_all_too(client, asked, body):
    assert client.ask("POST", "/api/labels", body).status == 400
    assert asked.labels.newest() == 0


def test_what_another_process_learns_is_announced_to_the_page(client, asked):
    asked.take_over_or_fail("another process", listens=True)
    stream = client.ask("GET", "/events")
    while stream.readline() != b"\n":
        pass
    assert answer(client, 1)["now"] is None
    assert got(client, "/api/utterances/1/change")["now"] is None
    ProfileModel(asked).catch_up()
    assert stream.readline() == b"event: learned\n"
    data = json.loads(stream.readline().removeprefix(b"data: "))
    assert data == {"utterance": 1, "annotator": "me"}
    assert got(client, "/api/utterances/1/change")["now"] is not None


def test_the_second_of_two_tabs_is_told_and_nothing_counts_as_a_repeat(client, asked):
    assert item_of(client, seat="a") == item_of(client, seat="b") == 1
    answer(client, 1, seat="a")
    told = answer(client, 1, 409, seat="b", valence=-1.0)["error"]
    assert "elsewhere" in told
    assert asked.annotation_events.repeats() == []
    assert asked.labels.answer_of(1, "me").label.valence == 0.5
    assert item_of(client, seat="b") == 2


def test_a_page_that_is_loaded_again_gets_what_it_showed(client):
    assert item_of(client, utterance="5") == 5
    answer(client, 5)
    assert item_of(client, utterance="5") == 1
    assert client.ask("GET", "/api/next?utterance=x").status == 400


def test_one_dimension_alone_is_an_answer_where_only_it_is_asked(client, asked):
    half = {"valence": 0.5, "arousal": None}
    answer(client, 1, 400, **half)
    assert got(client, "/api/next")["dimension"] is None
    asked.set_meta(DIMENSION, "valence")
    assert got(client, "/api/next")["dimension"] == "valence"
    assert answer(client, 1, **half)["now"]["valence"]["mean"] > 0
    label = asked.labels.answer_of(1, "me").label
    assert (label.valence, label.arousal) == (0.5, None)
    answer(client, 2, 400, valence=None, arousal=0.5)
    posted(client, "/api/corrections", utterance=1, annotator="me", valence=-0.25)
    assert asked.labels.answer_of(1, "me").label.valence == -0.25


def test_why_is_told_once_it_is_answered_with_the_nearest_to_listen_to(client, asked):
    assert got(client, "/api/utterances/1/why") == {"why": None}
    for number in (4, 5, 6, 7, 8):
        asked.acoustics.add(number, {"pitch_mean_st": 20.0 + number % 2, "level_dbfs": -20.0})
    answer(client, 1)
    answer(client, 2, emotion="joy")
    why = got(client, "/api/utterances/1/why")["why"]
    # Measured from its clip, which is in memory for those who want to hear it again.
    assert asked.acoustics.of(1)["pitch_mean_st"] > 25.0
    assert asked.acoustics.of(1)["level_dbfs"] == asked.utterances.get(1).quality.level_dbfs
    assert "higher" in why["text"]
    assert any(text.startswith("pitch ") for text in why["numbers"])
    (near,) = why["nearest"]
    assert (near["utterance"], near["emotion"], near["has_audio"]) == (2, "joy", True)
    assert client.ask("GET", "/api/utterances/999/why").status == 404
