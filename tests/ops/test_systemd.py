"""The systemd unit: read by systemd itself, and run by it where a test may start one."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.cli.service import install
from streamer.errors import ServiceError, UsageError
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
    unit.write_text(service.unit_text(tmp_path / odd, ["--device", odd]))
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
    assert f"WorkingDirectory=-{tmp_path}/100 %% here/\n" in text


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


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """A home of its own, and a systemctl that says yes: the files are this program's own work."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def test_a_password_is_kept_where_only_its_owner_reads_it(systemctl, tmp_path):
    secret = 'sword "fish" $HOME \\ `id` 50% #;'
    before = os.umask(0)
    try:
        path = service.install(tmp_path / "p", [], True, {"STREAMER_MQTT_PASSWORD": secret})
    finally:
        os.umask(before)
    settings = service.settings_path(tmp_path / "p")
    assert environment_of(settings.read_text()) == {"STREAMER_MQTT_PASSWORD": secret}
    for file in (path, settings):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for folder in (path.parent, *path.parent.parent.parent.glob("systemd")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "fish" not in path.read_text()
    (given,) = values_of(path.read_text(), "EnvironmentFile")
    assert given == f"-{settings}"
    service.remove(tmp_path / "p")
    assert not settings.exists()
    assert not path.exists()


def test_a_password_in_a_brokers_address_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match="other users can read a password"):
        install(["--mqtt", "ann:swordfish@home"])
    monkeypatch.setenv("STREAMER_MQTT", "ann:swordfish@home")
    with pytest.raises(UsageError, match="other users can read a password"):
        install([])
    assert not list(tmp_path.rglob("*.service"))


def logical_lines(text):
    """Lines as systemd joins them: after a backslash at its end a line goes on."""
    joined, before = [], ""
    for line in text.split("\n"):
        if not before and line.lstrip()[:1] in ("#", ";"):
            continue
        line = before + line
        if line.endswith("\\"):
            before = line[:-1] + " "
        else:
            joined.append(line)
            before = ""
    return [line.strip() for line in [*joined, before] if line.strip()]


def values_of(text, key):
    """The values of a key, with %% as systemd reads it; another specifier fails."""
    values = [line.partition("=") for line in logical_lines(text)]
    return [unspecified(value.strip()) for name, _, value in values if name == key]


def unspecified(value):
    assert "%" not in value.replace("%%", "")
    return value.replace("%%", "%")


def words_of(value):
    """The words of a command, by systemd's rules: quotes, escapes, variables."""
    words, at = [], 0
    while at < len(value):
        if value[at] == " ":
            at += 1
            continue
        word, quote = "", ""
        while at < len(value) and (quote or value[at] != " "):
            letter = value[at]
            if letter == "\\":
                assert value[at + 1] in '\\"', value[at : at + 2]
                word += value[at + 1]
                at += 1
            elif letter == quote:
                quote = ""
            elif letter in "\"'" and not quote:
                quote = letter
            else:
                word += letter
            at += 1
        assert not quote
        assert "$" not in word.replace("$$", "")
        words.append(word.replace("$$", "$"))
    return words


def environment_of(text):
    """As systemd reads an environment file: in double quotes a backslash escapes one of four."""
    found = {}
    for line in text.removesuffix("\n").split("\n"):
        name, _, value = line.partition("=")
        assert value[0] == value[-1] == '"'
        assert not re.search(r'["$`]', re.sub(r'\\["\\$`]', "", value[1:-1]))
        found[name] = re.sub(r'\\(["\\$`])', r"\1", value[1:-1])
    return found


NAMES = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/"),
        st.sampled_from("\\%$\"'`;# ~*[]{}-"),
    ),
    min_size=1,
    max_size=12,
).filter(lambda name: name not in (".", ".."))
KEYS = sorted(line.partition("=")[0] for line in logical_lines(service._UNIT) if "=" in line)


@given(name=NAMES, here=NAMES, word=NAMES, value=NAMES)
def test_systemd_reads_what_was_meant_whatever_the_names(name, here, word, value):
    folder, place = Path("/p") / name, Path("/w") / here
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "cwd", lambda: place)
        text = service.unit_text(folder, ["--device", word])
    keys = sorted(line.partition("=")[0] for line in logical_lines(text) if line[0] != "[")
    assert keys == KEYS  # no line was swallowed, none was added
    (command,) = values_of(text, "ExecStart")
    log = str(service.log_path(folder))
    assert words_of(command) == [
        sys.executable, "-P", "-m", "streamer", "run", "--profile", f"{folder}/", "--log", log,
        "--no-web", "--device", word,
    ]  # fmt: skip
    assert values_of(text, "WorkingDirectory") == [f"-{place}/"]
    settings = service.settings_text({"STREAMER_ANNOTATOR": value})
    assert environment_of(settings) == {"STREAMER_ANNOTATOR": value}


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
