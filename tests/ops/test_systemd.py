"""The systemd unit: read by systemd itself, and run by it where a test may start one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.errors import ServiceError
from streamer.ops import systemd as service

# A user manager in namespaces of its own, whatever this machine was started by.
MANAGER = """
mount -t proc proc /proc && mount -t tmpfs tmpfs /run || exit 99
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR/systemd"
/lib/systemd/systemd --user --unit=default.target >"$HOME/systemd.log" 2>&1 &
for attempt in $(seq 100); do
  systemctl --user is-system-running >/dev/null 2>&1 && break; sleep 0.1
done
systemctl --user show-environment >/dev/null || exit 99
exec "$0" "$@"
"""
LIVES = """
import json, os, signal, subprocess, sys, time
folder, recording = sys.argv[1:]
streamer = [sys.executable, "-m", "streamer", "service"]

def told(*words, code=0):
    words = [words[0], "--profile", folder, *words[1:]]
    done = subprocess.run([*streamer, *words], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout

def shown(name):
    words = ["systemctl", "--user", "show", "--value", "-p", name, unit]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()

def until(true):
    for _ in range(600):
        if true():
            return True
        time.sleep(0.1)

told("install", "--", "--input", recording, "--realtime", "--seed", "1")
state = json.loads(told("status", "--json"))
unit, log = state["unit"], state["log"]
assert state["active"] == "active" and state["enabled"] == "enabled", state
assert until(lambda: os.path.exists(log) and "listening to" in open(log).read())
process = int(shown("MainPID"))
confined = open(f"/proc/{process}/status").read()
assert "NoNewPrivs:\\t1" in confined and "Seccomp:\\t2" in confined
given = open(f"/proc/{process}/environ").read().split("\\0")
assert "STREAMER_PRIVACY=embeddings" in given and 'STREAMER_ANNOTATOR=a "50%" $b\\c' in given, given
arguments = open(f"/proc/{process}/cmdline").read().split("\\0")
assert folder + "/" in arguments, arguments
os.kill(process, signal.SIGKILL)
assert until(lambda: json.loads(told("status", "--json"))["restarts"] == 1)
assert until(lambda: open(log).read().count("listening to") == 2)
told("remove")
assert until(lambda: "samples:" in open(log).read())  # it was asked to stop, and told its accounts
told("remove", code=1)
"""


def test_a_unit_is_named_as_systemd_itself_escapes(tmp_path):
    if shutil.which("systemd-escape") is None:
        pytest.skip("systemd-escape is not installed")
    for name in ("default", "my voice", "Käthe-2", "a.b_c:d", "50%", "-x"):
        escaped = subprocess.run(
            ["systemd-escape", "--path", f"/home/{name}"], capture_output=True, text=True
        ).stdout.strip()
        assert service.unit_name(Path(f"/home/{name}")) == f"streamer-{escaped}.service"


@pytest.mark.parametrize("odd", ["plain", 'a "b" $HOME', "50 %d %h", "back\\slash", "semi;colon #"])
def test_systemd_accepts_the_unit_whatever_it_is_called(odd, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "streamer-test.service"
    settings = {"STREAMER_DEVICE": odd}
    unit.write_text(service.unit_text(tmp_path / odd, ["--device", odd], settings=settings))
    runtime = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        capture_output=True, text=True, env=runtime,
    )  # fmt: skip
    assert (done.returncode, "streamer-test" in done.stderr) == (0, False), done.stderr


def test_relative_paths_are_meant_from_where_it_was_installed(tmp_path, monkeypatch):
    (tmp_path / "100 % here").mkdir()
    monkeypatch.chdir(tmp_path / "100 % here")
    text = service.unit_text(Path("/p"), ["--config", "my.toml"])
    assert f"WorkingDirectory=-{tmp_path}/100 %% here\n" in text


def test_only_pages_and_a_broker_open_the_network():
    def families(*words: str, broker: bool = False) -> str:
        text = service.unit_text(Path("/p"), words, broker)
        (line,) = [line for line in text.splitlines() if line.startswith("RestrictAddressF")]
        return line.split("=")[1]

    assert families() == families("--device", "1") == "AF_UNIX"
    assert "AF_INET" in families("--web")
    assert "AF_INET" in families("--mqtt", "home:1883")
    assert "AF_INET" in families("--mqtt=home")
    assert "AF_INET" in families(broker=True)


def test_a_line_break_cannot_smuggle_an_option_in():
    with pytest.raises(ServiceError, match="control character"):
        service.unit_text(Path("/p"), ["--device", "x\nExecStartPre=/bin/evil"])


def test_flags_that_run_would_refuse_are_refused_and_nothing_is_written(streamer, tmp_path):
    done = streamer("service", "install", "--", "--nonsense", env=_home(tmp_path))
    assert done.returncode == 2
    assert "--nonsense" in done.stderr
    assert not list(tmp_path.rglob("*.service"))


def test_a_password_is_not_written_into_a_unit(streamer, tmp_path):
    env = {**_home(tmp_path), "STREAMER_MQTT_PASSWORD": "swordfish"}
    done = streamer("service", "install", env=env)
    assert done.returncode == 2
    assert "--config" in done.stderr
    assert not list(tmp_path.rglob("*.service"))


def test_without_systemd_it_is_told(streamer, tmp_path):
    done = streamer("service", "status", env={**_home(tmp_path), "PATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (1, "")
    assert "no systemd" in done.stderr


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make the namespaces of a systemd")
def test_a_real_systemd_starts_it_confines_it_and_starts_it_again(session_file, tmp_path):
    if not Path("/lib/systemd/systemd").exists():
        pytest.skip("systemd is not installed")
    home = {**_home(tmp_path), "XDG_RUNTIME_DIR": "/run/user/0"}
    home |= {"STREAMER_PRIVACY": "embeddings", "STREAMER_ANNOTATOR": 'a "50%" $b\\c'}
    words = [sys.executable, "-c", LIVES, str(tmp_path / 'my "50%" $voice'), str(session_file)]
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", MANAGER, *words],
        capture_output=True, text=True, timeout=300, env=home,
    )  # fmt: skip
    if done.returncode == 99:
        pytest.skip(f"no systemd can be started here: {done.stderr}")
    assert done.returncode == 0, done.stderr


def _home(tmp_path: Path) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "STREAMER_"))},
        "HOME": str(tmp_path),
    }


def test_the_command_of_a_unit_is_read_back_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    words = ["--web", "--device", 'a "b" $HOME 50 %d back\\slash', "--port", "8800"]
    path = service.unit_path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(service.unit_text(tmp_path, words), "utf-8")
    assert service.installed_words(tmp_path)[-len(words) :] == words
    path.unlink()
    with pytest.raises(ServiceError, match="service install"):
        service.installed_words(tmp_path)


@pytest.mark.parametrize("flag", ["--web", "--mqtt", "--osc=1.2.3.4:9", "--lsl"])
def test_only_what_needs_the_network_has_it(tmp_path, flag):
    assert "AF_INET" in service.unit_text(tmp_path, [flag])
    assert "AF_INET" not in service.unit_text(tmp_path, ["--device", "mic"])
