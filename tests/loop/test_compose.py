"""Which encoder a profile is opened with."""

from pathlib import Path

from streamer.config import Config
from streamer.encoders.registry import find_encoder, load_prior
from streamer.loop.compose import bind_encoder
from streamer.store.profile import Profile


def test_a_profile_of_the_former_default_still_opens_with_it(tmp_path: Path) -> None:
    former = find_encoder("streamer-small")
    assert find_encoder().name != former.name
    profile = Profile(tmp_path / "p")
    profile.bind(former.name, former.sha256, load_prior(former))
    assert bind_encoder(Config(), profile).sha256 == former.sha256
    profile.close()


def test_a_new_profile_is_bound_to_the_default(tmp_path: Path) -> None:
    profile = Profile(tmp_path / "p")
    encoder = bind_encoder(Config(), profile)
    assert encoder.sha256 == find_encoder().sha256
    assert profile.meta("encoder") == find_encoder().name
    profile.close()
