"""A recording has an identity: its bytes, under whatever name."""

from pathlib import Path

import numpy as np
import soundfile

from streamer.audio.sources.open import open_source
from streamer.store.profile import Profile
from tests.audio.hearing import hear_all, noise


def listen(path: Path, profile: Profile, again: bool = False):
    return hear_all(open_source(path, heard_files=profile.heard_files, again=again))


def test_the_same_bytes_are_heard_once(tmp_path: Path, profile: Profile) -> None:
    soundfile.write(tmp_path / "a.wav", noise(20_000), 16_000)
    first = listen(tmp_path / "a.wav", profile)
    assert len(first.samples["a.wav"]) == 20_000
    second = listen(tmp_path / "a.wav", profile)
    assert second.samples == {}
    assert second.notices == [
        "a.wav was processed before and is skipped; to process it again: --again"
    ]
    again = listen(tmp_path / "a.wav", profile, again=True)
    assert np.array_equal(again.samples["a.wav"], first.samples["a.wav"])


def test_under_another_name_and_within_one_folder_too(tmp_path: Path, profile: Profile) -> None:
    folder = tmp_path / "heard"
    folder.mkdir()
    soundfile.write(folder / "a.wav", noise(20_000), 16_000)
    (folder / "b.wav").write_bytes((folder / "a.wav").read_bytes())
    soundfile.write(folder / "c.wav", noise(10_000), 16_000)
    heard = listen(folder, profile)
    assert {name: len(samples) for name, samples in heard.samples.items()} == {
        "a.wav": 20_000, "c.wav": 10_000
    }  # fmt: skip
    assert heard.notices == [
        "b.wav was processed before as a.wav and is skipped; to process it again: --again"
    ]


def test_what_was_not_heard_to_its_end_is_heard_again(tmp_path: Path, profile: Profile) -> None:
    soundfile.write(tmp_path / "a.wav", noise(40_000), 16_000)
    source = open_source(tmp_path / "a.wav", heard_files=profile.heard_files)
    next(iter(source))
    source.close()
    assert len(listen(tmp_path / "a.wav", profile).samples["a.wav"]) == 40_000


def test_what_is_forgotten_is_unknown(tmp_path: Path, profile: Profile) -> None:
    soundfile.write(tmp_path / "a.wav", noise(20_000), 16_000)
    listen(tmp_path / "a.wav", profile)
    profile.heard_files.forget_unused()
    assert profile.heard_files.name_of("") is None
    assert len(listen(tmp_path / "a.wav", profile).samples) == 1
