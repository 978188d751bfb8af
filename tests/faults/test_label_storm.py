"""Thousands of labels at once: the one who listens takes them in small parts, and loses none."""

import numpy as np

from streamer.loop.profile_model import LABELS_AT_ONCE, ProfileModel
from streamer.store.profile import Profile
from tests.support import bound_profile, label_of, same_arrays, store_utterance

STORM = 1_000


def test_a_storm_is_learned_bit_by_bit_to_the_same_end(profile: Profile) -> None:
    bound_profile(profile.folder).close()
    rng = np.random.default_rng(6)
    with profile.database.transaction():
        numbers = [store_utterance(profile, rng.normal(size=6).astype("f4")) for _ in range(200)]
    listening = ProfileModel(profile)
    labels = [
        label_of(int(rng.choice(numbers)), f"person {n % 7}", valence=float(rng.uniform(-1, 1)))
        for n in range(STORM)
    ]
    profile.labels.add(labels, 10.0)
    turns = 0
    while profile.labels.newest() > listening._through:
        listening.learn_new()
        turns += 1
    assert turns == STORM // LABELS_AT_ONCE
    afresh = ProfileModel(profile)
    afresh.start_over()
    afresh.catch_up()
    assert listening.model.labels == afresh.model.labels == profile.labels.count()
    assert same_arrays(listening.model.learner.to_arrays(), afresh.model.learner.to_arrays())
