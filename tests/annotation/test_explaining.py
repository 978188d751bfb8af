"""How an utterance sounds beside the usual, and which answers are near."""

import numpy as np
import pytest

from streamer.annotation.explaining import nearest, sounding, soundings
from streamer.annotation.labels import give
from streamer.annotation.session import AnnotationSession
from streamer.errors import NotFound
from streamer.learners.explanation import FEWEST
from streamer.loop.profile_model import ProfileModel
from tests.support import bound_profile, label_of, store_utterance


@pytest.fixture
def annotation(tmp_path):
    profile = bound_profile(tmp_path / "p")
    rng = np.random.default_rng(8)
    profile_model = ProfileModel(profile)
    for _ in range(12):
        number = store_utterance(profile, rng.normal(size=6).astype("f4"))
        profile_model.adapt(profile.utterances.get(number))
    profile_model.save()
    yield AnnotationSession(profile, rng, lambda: 1_000.0)
    profile.close()


def test_the_nearest_are_those_of_the_smallest_angle_and_never_itself(annotation):
    assert nearest(annotation, 1) == []
    labelled = [1, 2, 3, 5, 8, 12]
    give(annotation.profile, [label_of(n, valence=0.1 * n - 0.5) for n in labelled])
    give(annotation.profile, [label_of(5, "you", valence=0.0)])
    with annotation.profile_model() as profile_model:
        model = profile_model.model
        scores = {n: model.features(annotation.profile.utterances.embedding(n)) for n in labelled}
    here = scores[5]
    cosines = {
        n: float(v @ here / np.linalg.norm(v) / np.linalg.norm(here))
        for n, v in scores.items()
        if n != 5
    }
    found = nearest(annotation, 5)
    wanted = sorted(cosines, key=lambda n: -cosines[n])[:3]
    assert [one.label.utterance for one in found] == wanted
    assert [one.similarity for one in found] == pytest.approx([cosines[n] for n in wanted])
    assert not any(one.has_audio for one in found)
    with pytest.raises(NotFound):
        nearest(annotation, 99)


def test_nothing_is_said_before_a_few_were_measured(annotation):
    acoustics = annotation.profile.acoustics
    for number in range(1, FEWEST):
        acoustics.add(number, {"level_dbfs": -24.0 + number})
    assert sounding(annotation.profile, {"level_dbfs": -3.0}).text == ""
    assert soundings(annotation.profile, {1}) == {}
    acoustics.add(FEWEST, {"level_dbfs": -24.0 + FEWEST})
    said = sounding(annotation.profile, {"level_dbfs": -3.0})
    assert said.text == "louder than usual"
    assert said.numbers[0].startswith("level -3 dBFS, usually -21")
    assert sounding(annotation.profile, None).text == ""
    assert list(soundings(annotation.profile, {1, 3, 99})) == [1, 3]
