"""Sound systems that fail, abort or hang: told as what they are, with the remedy, and survived."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streamer.audio.microphone.probe import Probe, remedy
from streamer.audio.microphone.sound_server import missing_plugin
from streamer.errors import AudioError
from tests.conftest import Streamer
from tests.virtual_microphone import VirtualMicrophone, needs_virtual_microphone

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's"),
    needs_virtual_microphone,
]


@pytest.mark.parametrize("verb", [("devices",), ("run", "--no-web", "--max-seconds", 1)])
def test_a_container_without_alsas_configuration_is_told_not_killed(
    streamer: Streamer, streamer_environment: dict[str, str], verb: tuple[object, ...]
) -> None:
    environment = {**streamer_environment, "ALSA_CONFIG_PATH": "/nonexistent/alsa.conf"}
    refused = streamer(*verb, env=environment)
    assert refused.returncode == 3
    (line,) = refused.stderr.splitlines()
    assert "SIGABRT" in line
    assert "BuildDeviceList" in line  # PortAudio's own words
    assert "ALSA_CONFIG_PATH names /nonexistent/alsa.conf, which does not exist" in line
    assert "--input FILE" in line


@pytest.mark.parametrize("verb", [("devices",), ("run", "--no-web", "--max-seconds", 1)])
def test_a_broken_file_of_the_users_is_named(
    streamer: Streamer,
    streamer_environment: dict[str, str],
    tmp_path: Path,
    verb: tuple[object, ...],
) -> None:
    (tmp_path / ".asoundrc").write_text("pcm.!default { type plug")
    refused = streamer(*verb, env={**streamer_environment, "HOME": str(tmp_path)})
    assert refused.returncode == 3
    (line,) = refused.stderr.splitlines()
    assert f"repair {tmp_path / '.asoundrc'}, or move it away" in line
    assert "alsa_snd_config_update" in line
    assert "unexpected" not in line


def test_doctor_goes_on_after_what_killed_portaudio(
    streamer: Streamer, streamer_environment: dict[str, str]
) -> None:
    environment = {**streamer_environment, "ALSA_CONFIG_PATH": "/nonexistent/alsa.conf"}
    told = streamer("doctor", env=environment)
    assert told.returncode == 3
    assert "unset it" in told.stdout
    assert told.stdout.splitlines()[-1].startswith("ok    clock")


@pytest.mark.parametrize("verb", ["devices", "run", "doctor"])
def test_a_sound_server_that_alsa_cannot_reach_is_told_with_its_package(
    virtual_microphone: VirtualMicrophone, streamer: Streamer, tmp_path: Path, verb: str
) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    environment = {
        **virtual_microphone.environment(),
        "ALSA_PLUGIN_DIR": str(plugins),
        "STREAMER_HOME": str(tmp_path / "profiles"),
    }
    words = ["run", "--no-web"] if verb == "run" else [verb]
    told = streamer(*words, env=environment)
    assert told.returncode == (0 if verb == "devices" else 3)
    assert "sudo apt install libasound2-plugins" in told.stdout + told.stderr


def test_a_sound_system_that_does_not_answer_is_not_waited_for(
    virtual_microphone: VirtualMicrophone,
) -> None:
    virtual_microphone.freeze()
    begun_s = time.monotonic()
    with pytest.raises(AudioError, match="not answered for 1 s; restart it"):
        Probe(virtual_microphone.environment(), patience_s=1.0).check()
    assert time.monotonic() - begun_s < 5.0
    virtual_microphone.thaw()
    Probe(virtual_microphone.environment()).check()


def test_pipewire_has_a_package_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "pipewire-0").touch()
    (tmp_path / "plugins").mkdir()
    environment = {
        "XDG_RUNTIME_DIR": str(tmp_path),
        "ALSA_PLUGIN_DIR": str(tmp_path / "plugins"),
        "PULSE_SERVER": f"unix:{tmp_path / 'none'}",
    }
    assert missing_plugin(environment).endswith("sudo apt install pipewire-alsa")
    (tmp_path / "plugins" / "libasound_module_pcm_pipewire.so").touch()
    assert missing_plugin(environment) == ""
    (tmp_path / "pipewire-0").unlink()
    assert missing_plugin(environment) == ""


def test_alsas_own_configuration_is_a_package() -> None:
    lines = ["ALSA lib conf.c:4555: Cannot access file /usr/share/alsa/alsa.conf"]
    assert "libasound2-data" in remedy(lines, {})


def test_a_process_probes_once_what_starts_and_again_what_did_not(tmp_path: Path) -> None:
    program = (
        "import os\n"
        "from streamer.audio.microphone.devices import list_devices\n"
        "from streamer.audio.microphone.probe import begin\n"
        "from streamer.errors import AudioError\n"
        "for turn in range(2):\n"
        "    try:\n"
        "        list_devices()\n"
        "    except AudioError as error:\n"
        "        print('refused')\n"
        "del os.environ['ALSA_CONFIG_PATH']\n"
        "list_devices()\n"
        "probe = begin()\n"
        "list_devices()\n"
        "print(begin() is probe)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "ALSA_CONFIG_PATH": "/nonexistent"},
    )  # fmt: skip
    assert done.stdout.split() == ["refused", "refused", "True"], done.stderr
