"""Settings from their four places, and what is said of those that cannot be meant."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from streamer.audio.segmentation import SegmentationSettings
from streamer.config import Config
from streamer.errors import UsageError


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch):
    for name in [name for name in os.environ if name.startswith("STREAMER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def toml(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "settings.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_without_any_place_there_are_defaults():
    config = Config.load()
    assert (config.profile, config.buffer, config.keep) == ("default", 10, 0.5)
    assert (config.strategy, config.annotator, config.threads) == ("spread-in-turn", "me", 1)
    assert config.segmentation == SegmentationSettings()
    assert config.query_life_s == 30 * 86_400
    assert config.home.is_absolute()


def test_file_then_environment_then_flag(toml, monkeypatch):
    path = toml('buffer = 3\nkeep = 0.3\nseed = 3\nprofile = "file"\n')
    monkeypatch.setenv("STREAMER_KEEP", "0.4")
    monkeypatch.setenv("STREAMER_SEED", "4")
    config = Config.load(path, seed=5)
    assert (config.profile, config.buffer, config.keep, config.seed) == ("file", 3, 0.4, 5)
    assert Config.load(None, seed=5).buffer == 10


def test_a_flag_that_is_none_was_not_given_and_one_that_is_zero_was(toml):
    config = Config.load(toml("keep = 0.3\nseed = 7"), keep=None, seed=0)
    assert (config.keep, config.seed) == (0.3, 0)


def test_a_file_of_one_load_has_no_say_in_the_next(toml):
    assert Config.load(toml("buffer = 3")).buffer == 3
    assert Config.load().buffer == 10


def test_segmentation_is_a_table_and_mixes_with_the_environment(toml, monkeypatch):
    path = toml("[segmentation]\nhangover_samples = 8000\non_probability = 0.6\n")
    monkeypatch.setenv("STREAMER_SEGMENTATION__ON_PROBABILITY", "0.7")
    monkeypatch.setenv("STREAMER_SEGMENTATION__PADDING_SAMPLES", "800")
    assert Config.load(path).segmentation == SegmentationSettings(
        hangover_samples=8000, on_probability=0.7, padding_samples=800
    )


def test_folders_and_none_are_read(toml):
    config = Config.load(toml('home = "/a/b"\nmodels = "c"\ndevice = "USB"\nchannel = 2'))
    assert (config.home, config.models, config.device, config.channel) == (
        Path("/a/b"), Path("c"), "USB", 2,
    )  # fmt: skip


def test_a_folder_may_lie_in_the_users_own(toml, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    config = Config.load(toml('home = "~/voices"\nmodels = "~/models"'))
    assert (config.home, config.models) == (Path("/somewhere/voices"), Path("/somewhere/models"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buffer = 0", "setting buffer = 0: "),
        ("buffer = 1001", "setting buffer = 1001: "),
        ("buffer = 'many'", "setting buffer = 'many': "),
        ("buffer = 2.5", r"setting buffer = 2\.5: "),
        ("keep = 1.5", r"setting keep = 1\.5: "),
        ("keep = nan", "setting keep = nan: "),
        ("seed = -1", "setting seed = -1: "),
        ("channel = 0", "setting channel = 0: "),
        ("query_days = 0", "setting query_days = 0: "),
        ("annotator = ''", "setting annotator = '': "),
        ("profile = 3", "setting profile = 3: "),
        ("mqtt_password = 12345", r"setting mqtt_password = \*\*\*: "),
        ("home = '~no.such.person/x'", "no user of that name"),
        ("colour = 'red'", "setting colour = 'red': "),
        ("segmentation = 3", "setting segmentation = 3: "),
        ("[segmentation]\nhangover = 3", r"setting segmentation\.hangover = 3: "),
        ("[segmentation]\nreach_samples = 'x'", r"setting segmentation\.reach_samples = 'x': "),
        ("[segmentation]\nhangover_samples = 0", "hangover_samples = 0: give 512 or more"),
        ("[segmentation]\non_probability = 0.0", r"on_probability = 0\.0"),
        ("buffer = ", r"settings\.toml: .*: correct the TOML file"),
        ("[segmentation", r"settings\.toml: .*: correct the TOML file"),
        (b"profile = '\xff'", r"settings\.toml: .*: correct the TOML file"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named_with_its_value(toml, text, message):
    with pytest.raises(UsageError, match=message) as caught:
        Config.load(toml(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("STREAMER_BUFFER", "ten", "setting buffer = 'ten': "),
        ("STREAMER_SEGMENTATION__NONSENSE", "1", r"setting segmentation\.nonsense = '1': "),
        ("STREAMER_SEGMENTATION", "{not json", "environment"),
    ],
)
def test_so_is_one_in_the_environment(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=message):
        Config.load()


def test_so_is_a_flag():
    with pytest.raises(UsageError, match="setting keep = 7"):
        Config.load(keep=7)
    with pytest.raises(UsageError, match="setting colour = 'red'"):
        Config.load(colour="red")


def test_a_file_that_is_not_there_is_told_of(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match="no settings file"):
            Config.load(path)


def test_it_cannot_be_changed():
    with pytest.raises(ValidationError):
        Config.load().buffer = 3
