"""Asking about a pool: what the profile would ask of all of it, each once, all or nothing."""

from contextlib import closing

import numpy as np
import pytest
import soundfile

from streamer.annotation import labels
from streamer.annotation.pool.asked import asked_rows
from streamer.annotation.pool.asking import _Rest, _Scored, ask, bind_to_pool
from streamer.config import Config
from streamer.encoders.open import open_encoder
from streamer.encoders.registry import find_encoder
from streamer.errors import OtherEncoder, UsageError
from streamer.loop.pool.pool import Pool
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.pool_status import pool_row
from streamer.query.strategies import make_strategy
from streamer.store.profile import Profile
from streamer.types import Label

pytest.importorskip("pyarrow", reason="pyarrow (extra cluster) is not installed")

ROWS = 120
UNCLEAR = [7, 40]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("talks") / "talk.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 16_000 * 3), 16_000)
    return path


@pytest.fixture(scope="module")
def pool(tmp_path_factory, recording):
    """Made-up vectors around the population's, of stretches of one recording."""
    encoder = open_encoder(find_encoder("", Config.load().models), 1)
    prior, rng = encoder.prior, np.random.default_rng(4)
    made = Pool.create(
        tmp_path_factory.mktemp("pools") / "pool",
        encoder=encoder.name, sha256=encoder.sha256, embedding_size=encoder.embedding_size,
        emotion_size=encoder.emotion_size, precision="float16",
    )  # fmt: skip
    spread = rng.normal(size=(ROWS, encoder.embedding_size))
    emotions = rng.normal(size=(ROWS, encoder.emotion_size))
    onsets = np.arange(ROWS) / 100.0
    with made.writing():
        for part in np.array_split(np.arange(ROWS), 3):
            many = len(part)
            made.write_part(
                {
                    "recording": ["r"] * many, "file": [str(recording)] * many,
                    "onset_s": onsets[part], "offset_s": onsets[part] + 0.5,
                    "channel": [None] * many, "voice": ["r"] * many, "level_dbfs": [-20.0] * many,
                    "gain_db": [0.0] * many, "snr_db": [30.0] * many, "clipped": [False] * many,
                    "trust": [0.4 if k in UNCLEAR else 1.0 for k in part],
                    "embedding": prior.embedding_mean + prior.embedding_deviation * spread[part],
                    "emotion_vector": emotions[part]
                    / np.linalg.norm(emotions[part], axis=1, keepdims=True),
                },
                [],
            )  # fmt: skip
    return made


@pytest.fixture
def config(tmp_path):
    return Config.load(home=tmp_path, strategy="spread", explore=0.0)


@pytest.fixture
def bound(config, tmp_path, pool):
    with closing(Profile(tmp_path / "mine")) as profile:
        bind_to_pool(config, profile, pool)
        profile.take_over_or_fail("a test")
        yield profile


def answer(profile, numbers):
    """As one rater would: by the sign of a feature, so that there is something to learn."""
    model = ProfileModel(profile).model
    given = []
    for number in numbers:
        feature = model.features(profile.utterances.embedding(number))
        valence, arousal = np.tanh(feature[:2])
        given.append(Label(number, float(valence), float(arousal), None, None, "me"))
    labels.give(profile, given)
    profile.take_over_or_fail("a test")


def test_it_asks_what_the_strategy_takes_of_the_whole_pool(config, bound, pool):
    answer(bound, ask(config, bound, pool, 12).utterances)
    rows = asked_rows(bound, pool.about.id)
    left = np.array([k for k in range(ROWS) if k not in {*UNCLEAR, *rows.values()}])
    model = ProfileModel(bound).model
    stored = next(pool.blocks(ROWS)).embeddings[left].astype(np.float32)
    rng = np.random.default_rng([config.seed, bound.utterances.count() + 1])
    rng.integers(2**63)
    expected = make_strategy("spread").take(model.features(stored), model.knowledge, 10, rng)
    made = ask(config, bound, pool, 10)
    assert made.is_exact
    rows = asked_rows(bound, pool.about.id)
    assert [rows[number] for number in made.utterances] == left[expected.indices].tolist()
    assert [one.utterance.id for one in bound.queries.open()] == sorted(
        made.utterances, key=lambda n: (-_score(bound, n), n)
    )


def _score(profile, number):
    return next(one.score for one in profile.queries.open() if one.utterance.id == number)


def test_nothing_is_asked_twice_until_all_was_asked(config, bound, pool):
    first = ask(config, bound, pool, 100)
    second = ask(config, bound, pool, 100)
    assert (len(first.utterances), len(second.utterances)) == (100, ROWS - len(UNCLEAR) - 100)
    rows = list(asked_rows(bound, pool.about.id).values())
    assert sorted(rows) == [k for k in range(ROWS) if k not in UNCLEAR]
    assert ask(config, bound, pool, 100).utterances == []
    unclear = ask(config.model_copy(update={"ask_unclear": True}), bound, pool, 9)
    assert len(unclear.utterances) == len(UNCLEAR)


def test_what_is_asked_is_an_utterance_like_any_other(config, bound, pool, recording):
    number = ask(config, bound, pool, 1).utterances[0]
    row = pool.take([asked_rows(bound, pool.about.id)[number]])[0]
    kept = bound.utterances.get(number)
    assert (kept.source, kept.onset_s, kept.offset_s) == (
        recording.name, row["onset_s"], row["offset_s"],
    )  # fmt: skip
    np.testing.assert_array_equal(kept.embedding, row["embedding"])
    assert bound.audio.clip(number)


@pytest.mark.parametrize("subset", [20, 60])
def test_a_random_subset_is_scored_and_drawn_alike(config, bound, pool, subset):
    made = ask(config, bound, pool, 10, subset)
    assert (len(made.utterances), made.scored) == (10, subset)


def test_every_utterance_is_as_likely_to_be_in_the_subset(pool, bound):
    rest, model = _Rest(pool, np.array([3, 4]), 0.6), ProfileModel(bound).model
    times = np.zeros(ROWS)
    for seed in range(80):
        subset = _Scored(rest, model, [5], 29, seed)
        assert len(subset) == 29
        numbers = [part.numbers for part in subset.blocks()]
        again = [part.numbers for part in subset.blocks()]
        np.testing.assert_array_equal(np.concatenate(numbers), np.concatenate(again))
        times[np.concatenate(numbers)] += 1
    assert subset.sample(7, np.random.default_rng(0)).shape[0] == 7
    assert times[[3, 4, 5, *UNCLEAR]].sum() == 0
    assert times.sum() == 80 * 29
    expected = 80 * 29 / (ROWS - 5)
    among = np.delete(times, [3, 4, 5, *UNCLEAR])
    assert abs(among - expected).max() < 5 * np.sqrt(expected)


def test_a_part_is_drawn_at_random_with_its_probability(config, bound, pool):
    made = ask(config.model_copy(update={"explore": 0.5}), bound, pool, 20)
    assert made.explored == 10
    chances = bound.queries.propensities()
    assert len(chances) == 10
    assert set(chances.values()) == {0.5 * 20 / (ROWS - len(UNCLEAR))}


def test_a_fault_in_the_middle_asks_nothing(config, bound, pool, monkeypatch):
    before = bound.load_state("usual")
    monkeypatch.setattr(
        type(bound.utterances), "select", lambda *_: (_ for _ in ()).throw(OSError("gone"))
    )
    with pytest.raises(OSError, match="gone"):
        ask(config, bound, pool, 5)
    monkeypatch.undo()
    assert bound.utterances.count() == 0
    assert bound.sessions.all() == []
    assert asked_rows(bound, pool.about.id) == {}
    assert (before is None) == (bound.load_state("usual") is None)


def test_what_was_learned_is_the_replay_of_the_answers_bit_for_bit(config, bound, pool):
    for _ in range(3):
        answer(bound, ask(config, bound, pool, 10).utterances)
    model = ProfileModel(bound).model
    replayed = ProfileModel(bound)
    replayed.start_over()
    replayed.catch_up()
    now, then = model.learner_to_arrays(), replayed.model.learner_to_arrays()
    assert now.keys() == then.keys()
    for name in now:
        assert now[name].tobytes() == then[name].tobytes(), name


def test_the_status_counts_and_follows_the_predictions(config, bound, pool):
    row = pool_row(pool, bound)
    assert (row["asked"], row["answered"], row["dimensions"]) == (0, 0, {})
    made = ask(config, bound, pool, 30)
    answer(bound, made.utterances[:25])
    row = pool_row(pool, bound)
    assert (row["asked"], row["open"], row["answered"]) == (30, 5, 25)
    curve = row["dimensions"]["valence"]["curve"]
    assert [point["labels"] for point in curve] == [5, 10, 20, 25]
    agreement = ProfileModel(bound).model.learner.dimensions["valence"].agreement
    assert curve[-1]["ccc"] == pytest.approx(agreement.ccc, abs=1e-12)
    assert curve[-1]["rmse"] == pytest.approx(agreement.rmse, abs=1e-12)
    assert "dominance" not in row["dimensions"]


def test_answers_of_other_recordings_do_not_count(config, bound, pool):
    with bound.database.transaction():
        answer(bound, ask(config, bound, pool, 6).utterances)
    other = Pool.create(
        pool.folder.parent / "other", encoder=pool.about.encoder,
        sha256=pool.about.encoder_sha256, embedding_size=1, emotion_size=1, precision="float16",
    )  # fmt: skip
    row = pool_row(other, bound)
    assert (row["asked"], row["answered"], row["dimensions"]) == (0, 0, {})


def test_a_profile_of_another_encoder_is_refused(config, pool, tmp_path):
    with closing(Profile(tmp_path / "other")) as profile:
        encoder = open_encoder(find_encoder("", config.models), 1)
        profile.bind("big", "cd" * 32, encoder.prior)
        with pytest.raises(OtherEncoder, match="not 'big'"):
            bind_to_pool(config, profile, pool)


@pytest.mark.parametrize(("count", "subset"), [(0, None), (-1, None), (5, 4)])
def test_what_cannot_be_meant(config, bound, pool, count, subset):
    with pytest.raises(UsageError):
        ask(config, bound, pool, count, subset)
