"""The composition root: builds the parts of a run from a Config. Imports are deferred."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from streamer.config import Config
from streamer.errors import NotFound, UsageError
from streamer.store.profile import DIMENSION, FILE_NAME, Profile, profile_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamer.audio.endpointer import Endpointer
    from streamer.audio.sources.open import Source
    from streamer.audio.sources.protocol import HeardFiles
    from streamer.audio.utterance_stream import UtteranceStream
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder
    from streamer.encoders.queue import EncodingQueue
    from streamer.loop.clip_cache import ClipCache
    from streamer.loop.describing import Describer
    from streamer.loop.markers import MarkerTrack
    from streamer.loop.profile_model import ProfileModel
    from streamer.loop.retention import Retention
    from streamer.loop.session import Session
    from streamer.query.strategies.binary_confidence import BinaryConfidence
    from streamer.query.strategy import Strategy

# A value of `config.source` that is no name: go on without a labelled source.
NO_SOURCE: Final = "none"


@contextmanager
def open_profile(config: Config, *, create: bool = True) -> Iterator[Profile]:
    """A profile of an earlier version is relearned first, with a message on standard error.

    Raises ProfileError, also where there is none yet and `create` is False.
    """
    folder = profile_folder(config.profile, config.home) if create else existing_folder(config)
    with closing(Profile(folder)) as profile:
        if profile.is_to_learn_anew():
            from streamer.loop.relearning import learn_anew_where_due

            learn_anew_where_due(config, profile, lambda text: print(text, file=sys.stderr))
        yield profile


def existing_folder(config: Config) -> Path:
    """The folder of a profile that is there. Raises NotFound."""
    folder = profile_folder(config.profile, config.home)
    if not _is_there(folder):
        raise NotFound(f"there is no profile in {folder}: name another with --profile")
    return folder


@contextmanager
def known_profile(config: Config, notify: "Callable[[str], None]") -> Iterator[Profile]:
    """A profile for commands that read only: they do not create a missing one.

    In place of a missing one: a notice, and an empty profile that is deleted afterwards.
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
    notify(f"no utterances yet: there is no profile in {folder}")


def _is_there(folder: Path) -> bool:
    """Also true where it cannot be read or is not a profile:

    opening it then raises the right error.
    """
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


def make_endpointer(config: Config, usual_dbfs: float | None = None) -> "Endpointer":
    """usual_dbfs: the level at which the profile knows its voice, None where it does not."""
    from streamer.audio.conditioning.level import LevelFollower
    from streamer.audio.conditioning.usual_level import UsualLevel
    from streamer.audio.endpointer import Endpointer
    from streamer.audio.vad import SileroVoiceActivity

    return Endpointer(
        SileroVoiceActivity(), config.segmentation, LevelFollower(), UsualLevel(usual_dbfs)
    )


def make_utterance_stream(
    config: Config, usual_dbfs: float | None = None, *, whole: bool = False
) -> "UtteranceStream":
    """From what a source delivers to utterances: channels, rate, conditioning, segmentation.

    usual_dbfs: see `make_endpointer`; whole: without segmentation, each recording is one utterance.
    """
    from streamer.audio.channels import ChannelMixer
    from streamer.audio.conditioning.conditioner import Conditioner
    from streamer.audio.conditioning.level import LevelFollower
    from streamer.audio.conditioning.usual_level import UsualLevel
    from streamer.audio.resampling import Resampler
    from streamer.audio.utterance_stream import UtteranceStream
    from streamer.audio.whole_recording import WholeRecording

    endpointer = (
        WholeRecording(LevelFollower(), UsualLevel(usual_dbfs))
        if whole
        else make_endpointer(config, usual_dbfs)
    )
    resampler = partial(Resampler, channel=config.channel)
    mixer = ChannelMixer if config.channel is None else None
    return UtteranceStream(endpointer, resampler, Conditioner(), mixer, config.channel)


def open_input(
    config: Config,
    input: str | None,
    *,
    realtime: bool = False,
    heard_files: "HeardFiles | None" = None,
) -> "Source":
    """The configured audio source: see `audio.sources.open.open_source`.

    Clips played by pages and terminals of the profile are removed from the audio of a microphone or
    a pipe, see `PlaybackMask`.
    """
    from streamer.audio.sources.open import open_source
    from streamer.audio.sources.playback_mask import PlaybackMask
    from streamer.store.playback import PlaybackWatch

    source = open_source(
        input,
        device=config.device,
        channel=config.channel,
        realtime=realtime,
        heard_files=heard_files,
        again=config.again,
    )
    if source.kind not in ("microphone", "stdin"):
        return source
    watch = PlaybackWatch(profile_folder(config.profile, config.home))
    return PlaybackMask(source, watch.spans)


def make_queue(
    encoder: "OnnxEncoder | AcousticEncoder", kind: str
) -> tuple["EncodingQueue", "deque[str]"]:
    """The encoding queue for a kind of source, and the notices of load shedding.

    Recordings and pipes are encoded synchronously; a microphone is encoded on another thread, with
    load shedding where the machine is too slow.
    """
    from streamer.encoders.load_shedding import LoadShedder
    from streamer.encoders.queue import BackgroundEncoding, SyncEncoding
    from streamer.encoders.temperature import temperature_c

    if kind != "microphone":
        return SyncEncoding(encoder), deque()
    load_shedder = LoadShedder(encoder, time.perf_counter, temperature_c)
    return BackgroundEncoding(load_shedder), load_shedder.news


def make_retention(config: Config, profile: Profile, clips: "ClipCache") -> "Retention":
    from streamer.audio.clips import to_flac
    from streamer.loop.retention import Retention

    return Retention(
        profile=profile,
        to_clip=to_flac,
        memory=clips,
        privacy=config.privacy,
        query_life_s=config.query_life_s,
        audio_life_s=config.audio_life_s,
        most_bytes=config.audio_mb * 1e6,
    )


def make_describer(config: Config, profile: Profile, kind: str) -> "Describer | None":
    """What measures utterances beside the loop, where the settings ask for it."""
    if not config.explain:
        return None
    from streamer.loop.describing import Describer

    return Describer(profile.folder, waits=kind == "file")


def make_strategies(config: Config) -> tuple["Strategy", "BinaryConfidence"]:
    """The strategy that selects, and the one that scores each utterance in its event.

    Raises UsageError for an unknown name.
    """
    from streamer.query.strategies import make_strategy
    from streamer.query.strategies.binary_confidence import BinaryConfidence
    from streamer.query.strategy import ASKED_DIMENSIONS

    dimensions = (config.dimension,) if config.dimension else ASKED_DIMENSIONS
    return make_strategy(config.strategy, dimensions), BinaryConfidence(dimensions)


def check_settings(config: Config) -> None:
    """Raises UsageError for contradictory settings, before anything is opened."""
    from streamer.learners.plugged import BAYESIAN, make_regression

    if config.keep_for_tuning and config.privacy == "embeddings":
        raise UsageError(
            "--keep-for-tuning keeps audio on the disk, --privacy embeddings none: give one of them"
        )
    make_regression(config.learner or BAYESIAN)
    if config.protocol is not None:
        from streamer.loop.protocol import Protocol

        Protocol.load(config.protocol)


def take_over(config: Config, profile: Profile, holder: str) -> None:
    """Make this process the one that learns, with the configured learner or else the profile's.

    Raises ProfileBusy, UsageError.
    """
    from streamer.loop.profile_model import check_learner, choose_learner

    profile.take_over_or_fail(holder, listens=True)
    if config.learner:
        choose_learner(profile, config.learner)
    check_learner(profile)


def make_session(
    config: Config,
    profile: Profile,
    source: "Source",
    encoding_queue: "EncodingQueue",
    retention: "Retention",
    strategies: tuple["Strategy", "BinaryConfidence"],
    describer: "Describer | None" = None,
) -> tuple["Session", "ProfileModel", "MarkerTrack"]:
    """A new session of a profile that is bound to its encoder, its model, and its markers."""
    from streamer.loop.backlog import Backlog
    from streamer.loop.budget import Budget
    from streamer.loop.markers import MarkerTrack
    from streamer.loop.profile_model import POPULATION, ProfileModel
    from streamer.loop.protocol import Protocol, ProtocolRun
    from streamer.loop.session import Session
    from streamer.loop.study import Study

    if config.source is not None:
        profile.sources.use(None if config.source == NO_SOURCE else config.source)
    place = str(Path(source.name).resolve()) if source.kind == "file" else source.name
    number = profile.sessions.begin(source.kind, place, time.time())
    profile.utterances.release_orphans()
    profile.note_not_asked(profile.waiting_to_be_asked(), waiting=0)  # of a process that was killed
    profile.set_meta(POPULATION, "yes" if config.population else "no")
    profile.set_meta(DIMENSION, config.dimension or "")
    profile_model = ProfileModel(profile)
    profile_model.catch_up()
    profile_model.take_updates()  # of labels that earlier sessions were given
    strategy, informativeness = strategies
    markers = MarkerTrack(profile.markers, number, time.time, time.monotonic)
    protocol = None if config.protocol is None else ProtocolRun(Protocol.load(config.protocol))
    session = Session(
        number=number,
        utterance_stream=make_utterance_stream(config, profile.utterances.usual_dbfs()),
        encoding_queue=encoding_queue,
        profile=profile,
        profile_model=profile_model,
        strategy=strategy,
        informativeness=informativeness,
        size=config.buffer,
        first=config.first_buffer,
        keep=config.keep,
        explore=config.explore,
        seed=config.seed,
        ask_unclear=config.ask_unclear,
        retention=retention,
        wall_s=time.time,
        now_s=time.perf_counter,
        budget=Budget.parse(config.ask_at_most, config.quiet),
        backlog=Backlog(profile.database, drops=source.kind == "microphone"),
        describe=None if describer is None else describer.put,
        study=Study(markers, protocol),
    )
    return session, profile_model, markers
