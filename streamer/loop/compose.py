"""The composition root: from a Config to things that run. Heavy imports wait for their verb."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from streamer import __version__
from streamer.config import Config
from streamer.errors import NotFound, StreamerError
from streamer.events import Noticed, Started
from streamer.store.profile import FILE_NAME, Profile, profile_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamer.audio.endpointer import Endpointer
    from streamer.audio.sources.open import Source
    from streamer.audio.utterance_stream import UtteranceStream
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder
    from streamer.loop.clip_cache import ClipCache
    from streamer.loop.run import Screen
    from streamer.query.strategies.binary_confidence import BinaryConfidence
    from streamer.query.strategy import Strategy

USES: Final = (
    "Streamer guesses how speech sounds, not what anyone feels. It is for people who label their "
    "own voice, and for research with their consent; not for judging people at work, at school or "
    "in public, nor for deciding anything about them. Tell those who are heard. Audio on disk: "
    "only clips of open questions, unless --privacy says otherwise"
)


@contextmanager
def open_profile(config: Config, *, create: bool = True) -> Iterator[Profile]:
    """Raises ProfileError, also where there is none yet and `create` is False."""
    folder = profile_folder(config.profile, config.home)
    if not create and not _is_there(folder):
        raise NotFound(f"there is no profile in {folder}: name another with --profile")
    with closing(Profile(folder)) as profile:
        yield profile


@contextmanager
def known_profile(config: Config, tell: "Callable[[str], None]") -> Iterator[Profile]:
    """For verbs that ask about what is there, so that a slip in its name makes no profile.

    Where there is none yet, says so, and an empty one that is gone afterwards stands in.
    """
    folder = profile_folder(config.profile, config.home)
    if _is_there(folder):
        with open_profile(config) as profile:
            yield profile
        return
    with (
        TemporaryDirectory(prefix="streamer-") as scratch,
        closing(Profile(Path(scratch) / folder.name)) as profile,
    ):
        yield profile
    tell(f"nothing was heard yet: there is no profile in {folder}")


def _is_there(folder: Path) -> bool:
    """Or something else is, or something that may not be looked at: opening it tells."""
    try:
        return (folder / FILE_NAME).exists() or (folder.exists() and not folder.is_dir())
    except OSError:
        return True


def bind_encoder(config: Config, profile: Profile) -> "OnnxEncoder | AcousticEncoder":
    """The configured encoder, else the one that the profile was learned with; bound to it.

    Raises EncoderError, and OtherEncoder where the two differ or the profile's is not here.
    """
    from streamer.encoders.registry import known_encoders

    bound = profile.meta("encoder")
    here = bound in {row.name for row in known_encoders(config.models)}
    encoder = make_encoder(config, config.encoder or (bound if bound and here else ""))
    profile.bind(encoder.name, encoder.sha256, encoder.prior)
    return encoder


def make_encoder(config: Config, name: str) -> "OnnxEncoder | AcousticEncoder":
    """The encoder of that name, the default's for "". Raises EncoderError."""
    from streamer.encoders.open import open_encoder
    from streamer.encoders.registry import find_encoder

    return open_encoder(find_encoder(name, config.models), config.threads)


def make_endpointer(config: Config) -> "Endpointer":
    from streamer.audio.conditioning.level import LevelFollower
    from streamer.audio.endpointer import Endpointer
    from streamer.audio.vad import SileroVoiceActivity

    return Endpointer(SileroVoiceActivity(), config.segmentation, LevelFollower())


def make_utterance_stream(config: Config) -> "UtteranceStream":
    """From what a source delivers to utterances: channels, rate, conditioning, segmentation."""
    from streamer.audio.channels import ChannelMixer
    from streamer.audio.conditioning.conditioner import Conditioner
    from streamer.audio.resampling import Resampler
    from streamer.audio.utterance_stream import UtteranceStream

    resampler = partial(Resampler, channel=config.channel)
    mixer = ChannelMixer if config.channel is None else None
    return UtteranceStream(make_endpointer(config), resampler, Conditioner(), mixer)


def open_input(config: Config, input: str | None, *, realtime: bool = False) -> "Source":
    """What is to be heard: see `audio.sources.open.open_source`."""
    from streamer.audio.sources.open import open_source

    return open_source(input, device=config.device, channel=config.channel, realtime=realtime)


def run(
    config: Config,
    screen: "Screen",
    open_source: "Callable[[], Source]",
    max_seconds: float | None = None,
    clips: "ClipCache | None" = None,
) -> bool:
    """The main job: hear, predict, ask, learn, until the source ends or somebody stops it.

    clips: where the pages of this process look for audio that may not lie on the disk.
    Returns whether it came to its end by itself. Raises StreamerError of the kind that went wrong.
    """
    from streamer.learners.plugged import BAYESIAN, make_regression
    from streamer.loop.profile_model import check_learner, choose_learner
    from streamer.query.strategies import make_strategy
    from streamer.query.strategies.binary_confidence import BinaryConfidence
    from streamer.query.strategy import ASKED_DIMENSIONS

    make_regression(config.learner or BAYESIAN)
    dimensions = (config.dimension,) if config.dimension else ASKED_DIMENSIONS
    strategy = make_strategy(config.strategy, dimensions)
    doubt = BinaryConfidence(dimensions)
    with open_profile(config) as profile:
        profile.take_over_or_fail("streamer run")
        if config.learner:
            choose_learner(profile, config.learner)
        check_learner(profile)
        # The microphone first: it already hears while the models load.
        source = open_source()
        try:
            return _run(config, profile, source, strategy, doubt, screen, max_seconds, clips)
        finally:
            try:
                screen.close()
            finally:
                source.close()


def _run(
    config: Config,
    profile: Profile,
    source: "Source",
    strategy: "Strategy",
    doubt: "BinaryConfidence",
    screen: "Screen",
    max_seconds: float | None,
    clips: "ClipCache | None",
) -> bool:
    from streamer.audio.clips import to_flac
    from streamer.encoders.load_shedding import LoadShedder
    from streamer.encoders.queue import BackgroundEncoding, SyncEncoding
    from streamer.encoders.temperature import temperature_c
    from streamer.loop.clip_cache import ClipCache
    from streamer.loop.load_notices import LoadNotices
    from streamer.loop.profile_model import ProfileModel
    from streamer.loop.retention import Retention
    from streamer.loop.run import UntilGone, listen, stop_on_signal
    from streamer.loop.session import Session
    from streamer.loop.watchdog import watching

    encoder = bind_encoder(config, profile)
    place = str(Path(source.name).resolve()) if source.kind == "file" else source.name
    number = profile.begin_session(source.kind, place, time.time())
    profile.utterances.release_orphans()
    profile_model = ProfileModel(profile)
    profile_model.catch_up()
    # A recording and a pipe can wait for the encoder, a microphone cannot.
    load_shedder = LoadShedder(encoder, time.perf_counter, temperature_c)
    encoding_queue = (
        BackgroundEncoding(load_shedder) if source.kind == "microphone" else SyncEncoding(encoder)
    )
    retention = Retention(
        profile=profile,
        to_clip=to_flac,
        memory=clips or ClipCache(),
        privacy=config.privacy,
        query_life_s=config.query_life_s,
        audio_life_s=config.audio_life_s,
        most_bytes=config.audio_mb * 1e6,
    )
    session = Session(
        number=number,
        utterance_stream=make_utterance_stream(config),
        encoding_queue=encoding_queue,
        profile=profile,
        profile_model=profile_model,
        strategy=strategy,
        doubt=doubt,
        size=config.buffer,
        keep=config.keep,
        explore=config.explore,
        seed=config.seed,
        ask_unclear=config.ask_unclear,
        retention=retention,
        wall_s=time.time,
        now_s=time.perf_counter,
    )
    with stop_on_signal() as stop:
        telling = UntilGone(LoadNotices(screen, load_shedder), stop)
        telling.show(_started(config, profile, encoder, source))
        _tell_uses(profile, telling)
        _tell_limits(config, profile, encoder.name, telling)
        profile.set_meta("privacy", config.privacy)  # for who labels later, without these settings
        for text in retention.begin():
            telling.show(Noticed(text))
        # In front of a person it only tells: they may have stopped it, or a pager its output.
        leave = not (sys.stderr and sys.stderr.isatty())
        try:
            with watching(config.watchdog_s, leave=leave) as turn:
                ended = listen(
                    source,
                    session,
                    telling,
                    stop=stop,
                    now_s=time.monotonic,
                    max_seconds=max_seconds,
                    turn=turn,
                )
        finally:
            encoding_queue.close()
        # Not after an error: the rows are right, what is in memory may not be.
        profile_model.save()
        profile.end_session(number, asdict(ended), time.time())
        if telling.failed is not None:
            raise StreamerError(
                f"the events cannot be written: {telling.failed.strerror}: all that was heard is "
                "stored; give the output some room, and start again"
            ) from telling.failed
        return not stop.is_set()


def _tell_uses(profile: Profile, screen: "Screen") -> None:
    """Say once a profile what this is for, and what not."""
    if profile.meta("uses_told"):
        return
    screen.show(Noticed(USES))
    profile.set_meta("uses_told", __version__)


def _tell_limits(config: Config, profile: Profile, encoder: str, screen: "Screen") -> None:
    """Say once a profile and encoder that the licence allows no commercial use, where so."""
    from streamer.encoders.registry import find_encoder

    row = find_encoder(encoder, config.models)
    if row.commercial_use or profile.meta("licence_told") == row.sha256:
        return
    screen.show(
        Noticed(
            f"the licence of encoder {row.name} ({row.licence}) allows no commercial use; "
            "`streamer models list` shows others"
        )
    )
    profile.set_meta("licence_told", row.sha256)


def _started(
    config: Config,
    profile: Profile,
    encoder: "OnnxEncoder | AcousticEncoder",
    source: "Source",
) -> Started:
    return Started(
        version=__version__,
        profile=profile.folder.name,
        encoder={
            "name": encoder.name,
            "sha256": encoder.sha256,
            "embedding_size": encoder.embedding_size,
        },
        source={
            "kind": source.kind,
            "name": source.name,
            "rate_hz": source.rate_hz,
            "channels": source.channels,
        },
        privacy=config.privacy,
    )
