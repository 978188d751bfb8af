"""The first events of a run: its start, and the notices to the user."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from streamer import __version__
from streamer.config import Config
from streamer.events import Event, Noticed, Started
from streamer.store.labels import KEEP_ANSWERED
from streamer.store.profile import Profile
from streamer.text import path_text

if TYPE_CHECKING:
    from streamer.audio.sources.open import Source
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder
    from streamer.loop.retention import Retention

USES: Final = (
    "Streamer predicts how speech sounds to a listener, not what anyone feels. It is for people "
    "who label their own voice, and for research with consent; not for judging people at work, at "
    "school or in public, nor for decisions about them. Inform everyone who is recorded. Audio on "
    "disk: only clips of open questions, unless --privacy says otherwise"
)


def opening(
    config: Config,
    profile: Profile,
    encoder: "OnnxEncoder | AcousticEncoder",
    source: "Source",
    retention: "Retention",
) -> Iterator[Event]:
    """The start event; once per profile, intended use and encoder licence; deleted audio."""
    yield Started(
        version=__version__,
        profile=path_text(profile.folder.name),
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
    yield from _intended_use(profile)
    yield from _licence(config, profile, encoder.name)
    yield from _labelled_source(profile)
    profile.set_meta(KEEP_ANSWERED, "yes" if config.keep_for_tuning else "no")
    profile.set_meta("privacy", config.privacy)  # for who labels later, without these settings
    for text in retention.begin():
        yield Noticed(text, "privacy")


def _intended_use(profile: Profile) -> Iterator[Noticed]:
    if not profile.meta("uses_told"):
        yield Noticed(USES, "privacy")
        profile.set_meta("uses_told", __version__)


def _licence(config: Config, profile: Profile, encoder: str) -> Iterator[Noticed]:
    """Once per profile and encoder: a licence that excludes commercial use."""
    from streamer.encoders.registry import find_encoder

    row = find_encoder(encoder, config.models)
    if row.commercial_use or profile.meta("licence_told") == row.sha256:
        return
    yield Noticed(
        f"the licence of encoder {row.name} ({row.licence}) allows no commercial use; "
        "`streamer models list` shows others",
        "licence",
    )
    profile.set_meta("licence_told", row.sha256)


def _labelled_source(profile: Profile) -> Iterator[Noticed]:
    """Which labelled source is used, or that it is of another encoder."""
    name = profile.sources.active_name()
    if name is None:
        return
    row = profile.sources.row(name)
    if profile.sources.active(profile.meta("encoder_sha256")) is None:
        yield Noticed(
            f"source {name} is of encoder {row.encoder}, not of this profile's: it is not used; "
            "remove it and add it again"
        )
    else:
        yield Noticed(f"starts from source {name}: {row.clips} labelled clips")
