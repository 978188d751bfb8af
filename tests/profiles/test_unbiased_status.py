"""The fair test of a profile, on profiles filled by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from streamer.loop.profile_model import ProfileModel
from streamer.profiles.status import status_row
from streamer.profiles.unbiased_status import fair_line, fair_tests
from streamer.query.exploration import FEWEST
from streamer.store.profile import Profile
from streamer.terminal.tables import status_lines
from streamer.types import Estimate, Prediction, Quality, Utterance, Verdict
from tests.support import bound_profile, label_of

BUFFER = 10


def live(profile: Profile, buffers: int, propensity: float = 0.1) -> list[tuple[float, float]]:
    """Buffers of ten, five asked, one of them drawn at random; every question is answered.

    Returns the arousal that was predicted and answered of those drawn at random.
    """
    rng = np.random.default_rng(3)
    session = profile.sessions.begin("file", "made.wav", 0.0)
    profile_model = ProfileModel(profile)
    drawn = []
    for _ in range(buffers):
        ids, answers, means = [], [], []
        for _ in range(BUFFER):
            embedding = rng.normal(size=6).astype(np.float32)
            arousal = float(np.clip(0.6 * embedding[0] + 0.1 * rng.normal(), -1, 1))
            mean = float(np.clip(0.5 * arousal + 0.3 * rng.normal(), -1, 1))
            estimate = Estimate(mean, mean, mean)
            ids.append(
                profile.utterances.add(
                    session=session,
                    utterance=Utterance(
                        "made.wav", 0.0, 1.0, np.zeros(0, np.float32), Quality(-20.0, 30.0, False)
                    ),
                    embedding=embedding,
                    emotion=np.ones(4, np.float32) / 2,
                    prediction=Prediction(estimate, estimate, estimate),
                    verdict=Verdict(None, None, {}),
                    informativeness=None,
                    heard_at=0.0,
                )
            )
            answers.append(arousal)
            means.append(mean)
        explored = [ids[0]] if propensity else []
        profile.utterances.select(
            "made", "made", [(i, 0.0, None) for i in ids[:5]], ids[5:], 0.0, explored, propensity
        )
        for utterance, answer in zip(ids[:5], answers, strict=False):
            profile.labels.add([label_of(utterance, arousal=answer)], 0.0)
        drawn.append((means[0], answers[0]))
    profile_model.catch_up()
    return drawn


@pytest.fixture
def profile(tmp_path: Path):
    opened = bound_profile(tmp_path / "p")
    opened.take_over("streamer run")
    yield opened
    opened.close()


def test_below_the_fewest_answers_it_cannot_tell(profile: Profile) -> None:
    live(profile, 10)
    test = fair_tests(profile)["arousal"]
    assert (test.answers, test.agreement, test.saved) == (10, None, None)
    assert "not known yet, 10 of" in "\n".join(status_lines(status_row(profile)))


def test_only_what_was_drawn_at_random_is_looked_at(profile: Profile) -> None:
    drawn = np.array(live(profile, 40))
    assert len(profile.queries.propensities()) == 40
    found = fair_tests(profile)["arousal"]
    prediction, truth = drawn.T
    spread = prediction.var() + truth.var() + (prediction.mean() - truth.mean()) ** 2
    expected = 2 * np.cov(prediction, truth, bias=True)[0, 1] / spread
    assert found.answers == 40
    assert found.agreement.ccc == pytest.approx(expected, abs=1e-9)
    assert found.agreement.low < expected < found.agreement.high
    assert fair_tests(profile)["valence"].answers == 0


def test_the_same_profile_gives_the_same_figures(profile: Profile) -> None:
    live(profile, 36)
    assert fair_tests(profile) == fair_tests(profile)


def test_questions_of_before_there_was_a_lot_do_not_count(profile: Profile) -> None:
    live(profile, FEWEST + 2, propensity=0.0)
    assert fair_tests(profile)["arousal"].answers == 0


def test_status_is_json_and_in_words(profile: Profile) -> None:
    live(profile, 36)
    row = status_row(profile)
    json.dumps(row, allow_nan=False)
    assert "all utterances: CCC" in "\n".join(status_lines(row))


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        (None, "labels saved: not known yet"),
        (
            {"by_chance": 60, "needed": 30, "low": 20, "high": 45},
            "of 60 labels by chance, choosing saved 15 to 40",
        ),
        (
            {"by_chance": 60, "needed": None, "low": 75, "high": None},
            "of 60 labels by chance, choosing took at least 15 more",
        ),
    ],
)
def test_labels_saved_in_words(saved: dict[str, object] | None, words: str) -> None:
    agreement = {"ccc": 0.5, "low": 0.4, "high": 0.6, "answers": 120}
    line = fair_line({"answers": 120, "needed_answers": 30, "ccc": agreement, "saved": saved})
    assert line.endswith(words)
