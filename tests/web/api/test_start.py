"""The first steps' requests."""

from streamer.annotation.first_steps import SENTENCES
from tests.annotation.test_first_steps import heard
from tests.web.api.test_answers import answer, got, posted


def test_the_page_follows_the_loop_and_the_person(served, client):
    state = got(client, "/api/start")
    assert (state["step"], state["listens"], state["open"]) == ("microphone", False, 30)
    assert len(state["sentences"]) == len(SENTENCES)
    served.first_steps.emit(heard(31))
    assert got(client, "/api/start")["step"] == "speak"
    served.first_steps.emit(heard(32))
    assert posted(client, "/api/start", do="again")["read"] == 0
    assert posted(client, "/api/start", do="talk")["reads"] is False
    assert posted(client, "/api/start", do="read")["reads"] is True
    assert posted(client, "/api/start", do="on", step="speak")["step"] == "answer"
    assert posted(client, "/api/start", do="on", step="speak")["step"] == "answer"
    assert posted(client, "/api/start", do="go", step="learned")["step"] == "learned"
    for wrong in ({"do": "fly"}, {"do": "go", "step": "bed"}, {}):
        assert "error" in posted(client, "/api/start", 400, **wrong)


def test_what_changed_is_of_what_was_said_since_and_hides_open_questions(served, client):
    for number in (1, 2, 31):
        served.first_steps.emit(heard(number))
    assert [one["utterance"] for one in got(client, "/api/start")["changes"]] == [31]
    answer(client, 1, emotion="joy")
    changes = got(client, "/api/start?annotator=me")["changes"]
    assert [(one["utterance"], one["sentence"]) for one in changes] == [(1, None), (31, 1)]
    assert changes[0]["answer"]["emotion"] == "joy"
    assert changes[0]["before"]["valence"]["mean"] == 0.1
    assert got(client, "/api/start?annotator=you")["changes"][0]["answer"] is None
