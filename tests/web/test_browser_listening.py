"""The pages in a real browser, while `streamer run` listens to a made-up session."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import soundfile

from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from streamer.testing import synthetic_session
from tests.support import balance, events_of, named
from tests.virtual_microphone import VirtualMicrophone, needs_virtual_microphone
from tests.web.browser import answered, chromium, item_number, open_page, undone, wait_until

TIMES_REAL_TIME = 8
RATE_HZ = 16_000
UTTERANCES = 26


@dataclass
class Listening:
    """`streamer run --web` on a microphone of ours: a session, then the noise of a quiet room."""

    folder: Path
    environment: dict[str, str]
    keep: str = "1"
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> "Listening":
        words = ["run", "--input", "-", "--web", "--port", "0", "--json", "--buffer", "2"]
        words += ["--keep", self.keep, "--profile", str(self.folder)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamer", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment,
        )  # fmt: skip
        assert self._process.stdin
        assert self._process.stdout
        self._threads = [
            threading.Thread(target=self._speak, args=(self._process.stdin,)),
            threading.Thread(target=self._read, args=(self._process.stdout,)),
        ]
        for thread in self._threads:
            thread.start()
        assert self._process.stderr
        told = self._process.stderr.readline().decode()
        self.url = re.search(r"http://\S+", told).group(0)
        self.base = self.url.split("/?")[0]
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(60)
        assert self._process.wait(60) == 0

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]

    def _speak(self, microphone: IO[bytes]) -> None:
        rng = np.random.default_rng(11)
        speech, _ = synthetic_session(rng, UTTERANCES)
        chunk = RATE_HZ // 4
        with microphone:
            at = 0
            while not self.over.is_set():
                part = speech[at : at + chunk]
                if not len(part):
                    part = rng.normal(0, 10 ** (-55 / 20), chunk).astype(np.float32)
                microphone.write((part * 32767).astype("<i2").tobytes())
                microphone.flush()
                at += chunk
                self.over.wait(0.25 / TIMES_REAL_TIME if at < len(speech) else 0.25)

    def _read(self, out: IO[bytes]) -> None:
        self.events.extend(json.loads(line) for line in out)


@pytest.fixture
def listening(tmp_path: Path, streamer_environment: dict[str, str]) -> Iterator[Listening]:
    with Listening(tmp_path / "heard", streamer_environment) as started:
        yield started


def label_by_keys(page: Any) -> None:
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("2")
    answered(page, lambda: page.keyboard.press("Enter"))


def label_by_mouse(page: Any) -> None:
    box = page.locator("#plane").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + 3 * box["height"] / 4)
    page.locator("#emotions button").nth(2).click()
    answered(page, page.locator("#save").click)


def test_a_whole_sitting_while_it_listens(browser, listening):
    page, faults = open_page(browser, listening.url)
    item_number(page)
    for _ in range(10):
        label_by_keys(page)
    page.wait_for_selector("#last dt.now")
    for _ in range(2):
        undone(page, lambda: page.keyboard.press("z"))
    page.keyboard.press("+")
    page.keyboard.type("Fed up")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    answered(page, lambda: page.keyboard.press("Enter"))
    for _ in range(10):
        label_by_mouse(page)
    page.goto(page.url.rpartition("/")[0] + "/emotions")
    page.fill("#name", "weary")
    page.locator("#recent input").nth(2).wait_for()
    boxes = page.locator("#recent input").all()[:3]
    for heard in [box.get_attribute("value") for box in boxes]:
        page.locator(f'#recent input[value="{heard}"]').check()
    wait_until(page, "() => document.getElementById('gauge-text').textContent !== '–'")
    page.locator("#enroll").click()
    page.wait_for_selector("#enrolled td:text-is('weary')")
    page.goto(page.url.rpartition("/")[0] + "/profile")
    assert page.locator("#labels tr").count() >= 18
    assert not faults
    listening.over.set()

    profile = Profile(listening.folder)
    try:
        labels, repeats = profile.labels.effective(), profile.annotation_events.repeats()
        assert len(labels) + len(repeats) == 19
        keyed = [e.label for e in labels if e.label.valence == 0.25]
        clicked = [e.label for e in labels if e.label.valence == pytest.approx(-0.5, abs=0.02)]
        assert {(label.arousal, label.emotion) for label in keyed} == {(0.3, "happiness")}
        assert all(label.arousal == pytest.approx(-0.5, abs=0.02) for label in clicked)
        assert len(keyed) >= 8
        assert len(clicked) + len(repeats) >= 10
        assert any(e.label.emotion == "fed up" for e in labels)
        assert len(profile.emotions.enrolled()["weary"]) == 3
    finally:
        profile.close()


def test_every_label_changes_the_learner_that_listens(browser, listening):
    page, _ = open_page(browser, listening.url)
    for _ in range(3):
        item_number(page)
        label_by_keys(page)
    page.wait_for_selector("#last dt.now + dd:not(:text('learning'))")
    listening.__exit__()
    learned = listening.named("learned")
    profile = Profile(listening.folder)
    try:
        entries = profile.labels.effective()
        assert [event["utterance"] for event in learned] == [e.label.utterance for e in entries]
        assert all(entry.features is not None for entry in entries)
        assert ProfileModel(profile).model.labels == 3
        heard = {event["id"]: event for event in listening.named("utterance")}
        now = ProfileModel(profile).model.predict(
            profile.utterances.get(entries[0].label.utterance)
        )
        assert now.valence.mean != heard[entries[0].label.utterance]["valence"]["mean"]
    finally:
        profile.close()


def test_the_live_lines_move(browser, tmp_path, streamer_environment):
    # Half are asked, whose predictions are hidden; of the others the lines are drawn.
    with Listening(tmp_path / "heard", streamer_environment, keep="0.5") as listening:
        see_the_live_lines_move(browser, listening)


def see_the_live_lines_move(browser: Any, listening: Listening) -> None:
    page, faults = open_page(browser, f"{listening.base}/live?token={listening.url.split('=')[1]}")
    points = "document.querySelectorAll('#valence-chart circle').length"
    wait_until(page, f"() => {points} >= 2")
    before = page.evaluate(points)
    wait_until(page, f"() => {points} >= {before + 3}")
    wait_until(page, "() => parseFloat(document.getElementById('level-bar').style.width) > 10")
    wait_until(page, "() => document.getElementById('selection').textContent.includes('asks #')")
    assert page.locator("#rows tr").count() >= 5
    assert not faults


def test_what_is_heard_while_the_button_is_held_is_enrolled(browser, listening):
    page, faults = open_page(
        browser, f"{listening.base}/emotions?token={listening.url.split('=')[1]}"
    )
    page.fill("#name", "Eager")
    page.locator("#hold").hover()
    page.mouse.down()
    wait_until(page, "() => document.querySelectorAll('#tray li').length >= 3")
    page.mouse.up()
    assert page.inner_text("#hold-text") == "Hold and speak"
    wait_until(page, "() => document.getElementById('gauge-text').textContent !== '–'")
    page.locator("#tray button").first.click()
    held = [int(b.inner_text().removeprefix("#")) for b in page.locator("#tray b").all()]
    page.locator("#enroll").click()
    page.wait_for_selector("#enrolled td:text-is('eager')")
    wait_until(page, "() => document.getElementById('distances').textContent.includes('eager')")
    assert not faults
    listening.over.set()
    profile = Profile(listening.folder)
    try:
        assert len(held) >= 2
        rows = profile.database.rows("SELECT utterance FROM enrollments WHERE emotion = 'eager'")
        assert set(held) <= {row["utterance"] for row in rows}
    finally:
        profile.close()


@pytest.mark.long
def test_the_live_lines_move_at_the_pace_of_real_speech(
    browser, shared_wav, tmp_path, streamer_environment
):
    words = [
        "run", "--input", shared_wav / "session_48k.flac", "--realtime", "--web", "--port", "0",
        "--json", "--max-seconds", "12", "--profile", tmp_path / "heard",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=streamer_environment,
    )  # fmt: skip
    url = re.search(r"http://\S+", process.stderr.readline().decode()).group(0)
    page, faults = open_page(browser, url.replace("/?", "/live?"))
    points = "document.querySelectorAll('#valence-chart circle').length"
    for count in (1, 2, 3):
        wait_until(page, f"() => {points} >= {count}")
    page.context.close()
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert out.count(b'"event": "utterance"') >= 3
    assert not faults


@needs_virtual_microphone
@pytest.mark.parametrize(
    ("gain_db", "delay_ms", "rounds"),
    [
        pytest.param(0, 200, 1, id="loud"),
        pytest.param(-20, 0, 10, id="quiet", marks=pytest.mark.hours),
        pytest.param(0, 300, 60, id="ten minutes", marks=pytest.mark.hours),
    ],
)
def test_what_the_page_plays_is_no_utterance_to_the_microphone_beside_it(
    virtual_microphone: VirtualMicrophone,
    tmp_path: Path,
    session_file: Path,
    gain_db: float,
    delay_ms: int,
    rounds: int,
) -> None:
    """The loudspeaker's sound comes back by the microphone; only a voice of the room is heard."""
    folder, out = tmp_path / "heard", tmp_path / "events"
    environment = virtual_microphone.environment()
    streamer = [sys.executable, "-m", "streamer", "run"]
    before = ["--input", session_file, "--buffer", "2", "--keep", "1", "--profile", folder]
    subprocess.run(
        [*streamer, "--no-web", *map(str, before)], env=environment, check=True,
        capture_output=True,
    )  # fmt: skip
    virtual_microphone.add_loudspeaker(gain_db, delay_ms)
    with out.open("w") as events:
        process = subprocess.Popen(
            [*streamer, "--web", "--port", "0", "--json", "--profile", str(folder)],
            stdout=events, stderr=subprocess.PIPE, env=environment,
        )  # fmt: skip
    assert process.stderr is not None
    try:
        url = re.search(r"http://\S+", process.stderr.readline().decode()).group(0)
        with chromium(env=environment, ignore_default_args=["--mute-audio"]) as audible:
            live, live_faults = open_page(audible, url.replace("/?", "/live?"))
            live.wait_for_selector("#level-text:not(:text('–'))")
            page, faults = open_page(audible, url)
            item_number(page)
            with virtual_microphone.recorded(tmp_path / "picked up.wav"):
                for number in range(rounds):
                    with page.expect_response("**/api/playback") as told:
                        page.locator("#play").click()
                    assert told.value.json() == {"told": True}
                    live.wait_for_selector("#level.deaf")
                    page.wait_for_timeout(3_500 if number < 3 else 8_000)
                live.wait_for_selector("#level:not(.deaf)")
            assert not faults + live_faults
        virtual_microphone.feed(session_file, wait=False)
        page_over = out.read_text().count('"utterance"')
        for _ in range(200):
            if out.read_text().count('"event": "utterance"') > page_over:
                break
            threading.Event().wait(0.1)
    finally:
        process.terminate()
        process.wait(60)
    events_told = events_of(out.read_text())
    end = events_told[-1]
    picked_up, _ = soundfile.read(tmp_path / "picked up.wav")
    assert abs(picked_up).max() > 0.02 * 10 ** (gain_db / 20)  # the loudspeaker was on
    assert page_over == 0
    assert named(events_told, "utterance")
    assert balance(end) == 0
    assert end["dropped_samples"]["playback"] > rounds * RATE_HZ
    assert [n["kind"] for n in named(events_told, "notice")].count("playback") >= 1
