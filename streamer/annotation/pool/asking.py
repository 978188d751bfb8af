"""Choose what to ask of a pool, and make questions of it in a profile.

The profile scores with what it has learned up to now, by the strategies that `run` and `evaluate`
use. What is chosen becomes an utterance of the profile, as if it had been heard, with an open
question: it can be answered from a file, in the terminal or in the browser.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from streamer.annotation.pool.asked import KIND, asked_rows, note_asked
from streamer.config import Config
from streamer.errors import UsageError
from streamer.loop.assessment import assess
from streamer.loop.clip_cache import ClipCache
from streamer.loop.compose import make_encoder, make_retention, make_strategies
from streamer.loop.online_model import OnlineModel
from streamer.loop.pool.pool import Pool
from streamer.loop.pool.schema import EMBEDDING, EMOTION
from streamer.loop.profile_model import ProfileModel
from streamer.query.blocks import (
    Candidates,
    PoolChoice,
    SequentialDraw,
    choose_from_blocks,
)
from streamer.query.selection import draw_lot
from streamer.store.profile import Profile
from streamer.text import path_of
from streamer.types import LEAST_CLEAR_TRUST, Encoding, Matrix, Quality, Samples, Utterance

# Rows in memory at a time: 16 MB of features for 256 values each.
BLOCK_ROWS: Final = 8192


@dataclass(slots=True)
class Round:
    """A round of questions. utterances: their numbers in the profile, in the order of selection.

    explored: how many of them were drawn at random. scored: how many of the pool had a score.
    silent: of the asked, those whose recording is not there any more.
    """

    utterances: list[int]
    strategy: str
    reason: str
    is_exact: bool
    scored: int
    explored: int = 0
    silent: list[str] = field(default_factory=list)


def bind_to_pool(config: Config, profile: Profile, pool: Pool) -> None:
    """Bind a new profile to the pool's encoder; raises OtherEncoder where it has another."""
    bound = profile.meta("encoder_sha256")
    if bound is not None:
        pool.check_encoder(profile.meta("encoder") or "", bound)
        return
    encoder = make_encoder(config, config.encoder or pool.about.encoder)
    pool.check_encoder(encoder.name, encoder.sha256)
    profile.bind(encoder.name, encoder.sha256, encoder.prior)


def ask(
    config: Config, profile: Profile, pool: Pool, count: int, subset: int | None = None
) -> Round:
    """Make `count` questions of the pool's utterances, fewer where fewer are left.

    Not asked: what was asked before, answered or not, and, without `ask_unclear`, what noise or
    clipping spoiled. A fraction `explore` of the questions is drawn at random from all the rest.

    Parameters
    ----------
    profile
        Taken over by this process, and bound to the encoder of the pool.
    subset
        Score only this many, drawn anew in each round (Han et al. 2013, table 1); None: all.

    Raises
    ------
    UsageError
        For a count or a subset that cannot be meant; nothing is asked then.
    """
    profile_model = ProfileModel(profile)
    profile_model.catch_up()
    profile_model.take_updates()
    chosen = choose(config, profile_model, pool, count, subset)
    return _store(config, profile_model, pool, chosen)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be asked. lot: the pool's rows that were drawn at random, and their chance."""

    choice: PoolChoice
    lot: list[int]
    propensity: float


def choose(
    config: Config,
    profile_model: ProfileModel,
    pool: Pool,
    count: int,
    subset: int | None = None,
) -> Chosen:
    """The choice of `ask`; nothing is stored. Raises UsageError."""
    if count < 1:
        raise UsageError(f"cannot ask {count} questions: give 1 or more")
    if subset is not None and subset < count:
        raise UsageError(f"--subset {subset} is less than the {count} questions: give more")
    strategy, _ = make_strategies(config)
    profile, model = profile_model.profile, profile_model.model
    rng = np.random.default_rng([config.seed, profile.utterances.count() + 1])
    before = np.array(sorted(asked_rows(profile, pool.about.id).values()), np.int64)
    rest = _Rest(pool, before, 0.0 if config.ask_unclear else LEAST_CLEAR_TRUST)
    lot = rest.numbers(draw_lot(len(rest), min(count, len(rest)), config.explore, rng))
    candidates = _Scored(rest, model, lot, subset, int(rng.integers(2**63)))
    wanted = min(count, len(rest)) - len(lot)
    choice = choose_from_blocks(strategy, candidates, model.knowledge, wanted, rng)
    return Chosen(choice, lot, min(config.explore * count / max(len(rest), 1), 1.0))


class _Rest:
    """What of a pool may be asked; its numbers are never in memory together."""

    def __init__(self, pool: Pool, asked: Any, least_trust: float) -> None:
        self._pool = pool
        self._asked = asked
        self._least_trust = least_trust
        self._count = sum(map(len, self._parts()))

    def __len__(self) -> int:
        return self._count

    def numbers(self, places: list[int]) -> list[int]:
        """The pool's numbers of some, by their places among what may be asked, in order."""
        found: list[int] = []
        passed = 0
        for part in self._parts() if places else ():
            found += [int(part[p - passed]) for p in places if passed <= p < passed + len(part)]
            passed += len(part)
        return found

    def blocks(
        self, without: list[int], draws: Sequence[SequentialDraw]
    ) -> Iterator[tuple[Any, Any]]:
        """Numbers and embeddings as stored, block by block; of those, what each draw leaves."""
        left_out = np.union1d(self._asked, np.array(without, np.int64))
        for block in self._pool.blocks(BLOCK_ROWS):
            free = np.flatnonzero(block.trust >= self._least_trust)
            free = free[~np.isin(block.first + free, left_out)]
            for draw in draws:
                free = free[draw.of(len(free))]
            if len(free):
                yield block.first + free, block.embeddings[free]

    def _parts(self) -> Iterator[Any]:
        for numbers in self._pool.clear_numbers(BLOCK_ROWS, self._least_trust):
            yield numbers[~np.isin(numbers, self._asked)]


@dataclass(frozen=True, slots=True)
class _Scored:
    """A `CandidatePool` of what is left of a pool without the lot; or a random subset of it."""

    rest: _Rest
    model: OnlineModel
    lot: list[int]
    subset: int | None
    seed: int

    def __len__(self) -> int:
        left = len(self.rest) - len(self.lot)
        return left if self.subset is None else min(self.subset, left)

    def blocks(self) -> Iterator[Candidates]:
        return self._blocks([])

    def sample(self, count: int, rng: np.random.Generator) -> Matrix:
        parts = list(self._blocks([SequentialDraw(len(self), count, rng)]))
        return Candidates.together(parts).features

    def _blocks(self, draws: list[SequentialDraw]) -> Iterator[Candidates]:
        if self.subset is not None:  # the same one each time
            left = len(self.rest) - len(self.lot)
            rng = np.random.default_rng(self.seed)
            draws = [SequentialDraw(left, self.subset, rng), *draws]
        for numbers, embeddings in self.rest.blocks(self.lot, draws):
            yield Candidates(numbers, self.model.features(embeddings.astype(np.float32)))


def _store(config: Config, profile_model: ProfileModel, pool: Pool, chosen: Chosen) -> Round:
    """Utterances and questions, all or none."""
    profile, model = profile_model.profile, profile_model.model
    choice, lot = chosen.choice, chosen.lot
    _, scorer = make_strategies(config)
    retention = make_retention(config, profile, ClipCache())
    numbers = [*choice.numbers, *lot]
    rows = pool.take(numbers)
    # A random one has no score of its own: it is shown behind the others.
    lowest = float(min(choice.values, default=0.0))
    scores = [*map(float, choice.values), *[lowest] * len(lot)]
    made = Round([], config.strategy, choice.reason, choice.is_exact, choice.scored, len(lot))
    if not rows:
        return made
    now = time.time()
    with model.unadapted_on_error(), profile.database.transaction():
        session = profile.sessions.begin(KIND, pool.about.id, now)
        asked: list[tuple[int, float, bytes | None]] = []
        for row, score in zip(rows, scores, strict=True):
            audio = audio_of(row)
            utterance = _utterance(row, audio)
            encoded = Encoding(row[EMBEDDING], row[EMOTION])
            profile_model.adapt(encoded)
            said = assess(model, encoded, utterance.quality, scorer)
            number = profile.utterances.add(
                session, utterance, encoded.embedding, encoded.emotion, said.prediction,
                said.verdict, said.informativeness, now,
            )  # fmt: skip
            clip = None
            if audio is None:
                made.silent.append(row["file"])
            else:
                retention.store_utterance(number, audio, now)
                clip = retention.clip_for_query(number, audio)
            asked.append((number, score, clip))
            made.utterances.append(number)
        random = made.utterances[len(choice.numbers) :]
        profile.utterances.select(
            config.strategy, choice.reason, asked, [], now, random, chosen.propensity
        )
        note_asked(profile, session, dict(zip(made.utterances, numbers, strict=True)))
        profile.sessions.end(session, {}, now)
    return made


def audio_of(row: dict[str, Any]) -> Samples | None:
    """The sound of a row, from its recording; None where that is not there any more."""
    from streamer.audio.clips import from_recording

    path = path_of(row["file"])
    return from_recording(path, row["onset_s"], row["offset_s"], row["channel"])


def _utterance(row: dict[str, Any], audio: Samples | None) -> Utterance:
    quality = Quality(
        row["level_dbfs"], row["snr_db"], row["clipped"], row["trust"], row["gain_db"]
    )
    sound = np.zeros(0, np.float32) if audio is None else audio
    # By its name, as `run` has it: a profile that is exported tells nothing about folders.
    return Utterance(Path(row["file"]).name, row["onset_s"], row["offset_s"], sound, quality)
