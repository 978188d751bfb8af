"""The pages, measured: how soon they can be used, how soon they tell, what they cost the loop.

    python -m benchmarks.web [--utterances 10000] [--seconds 60] [--out FILE.json]

`streamer run --web` hears a made-up session at its pace, in a profile that holds many utterances:
by itself; with three pages open in chromium; under a flood of requests that are refused.
"""

import argparse
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.loop import machine
from streamer.audio.clips import to_flac
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from streamer.testing import synthetic_session
from streamer.types import Estimate, Label, Prediction, Quality, Samples, Utterance, Verdict

ROUNDS = 5
BAD_A_SECOND = 1000
FLOODERS = 4
LAST_WORDS = b"all of it."
PAGES = ("", "live", "emotions")
RATE_HZ = 16_000
# Tells the moment at which an utterance appears in the live view's table.
WATCH = """() => {
  window.appeared = [];
  new MutationObserver(() => {
    const id = Number(document.querySelector('#rows td').textContent);
    if (appeared.at(-1)?.[0] !== id) appeared.push([id, Date.now() / 1000]);
  }).observe(document.getElementById('rows'), { childList: true });
}"""


def fill(profile: Profile, count: int) -> None:
    """Made-up utterances, half of them asked about, and a fifth labelled and learned."""
    rng = np.random.default_rng(0)
    one = profile.sessions.recent(1)[0]
    estimate = Estimate(0.0, -0.5, 0.5)
    prediction = Prediction(estimate, estimate, estimate)
    clip = to_flac((0.1 * rng.standard_normal(2 * RATE_HZ)).astype(np.float32))
    with profile.database.transaction():
        session = profile.sessions.begin("microphone", "made up", time.time())
        for at in range(0, count, 10):
            numbers = []
            for _ in range(10):
                heard = Utterance("made up", 1.0, 3.0, _none(), Quality(-20.0, 30.0, False))
                embedding, emotion = (
                    (vector + rng.standard_normal(vector.shape) * vector.std()).astype(np.float32)
                    for vector in (one.embedding, one.emotion)
                )
                numbers.append(
                    profile.utterances.add(
                        session, heard, embedding, emotion, prediction,
                        Verdict(None, None, {}), -0.1, time.time(),
                    )
                )  # fmt: skip
            asked = [(number, float(rng.uniform(-0.5, 0)), clip) for number in numbers[:5]]
            profile.utterances.select("made up", f"for round {at}", asked, numbers[5:], time.time())
            values = rng.uniform(-1, 1, (2, 2))
            profile.labels.add(
                [
                    Label(n, float(v), float(a), None, str(rng.choice(["joy", "anger"])), "me")
                    for n, (v, a) in zip(numbers[:2], values, strict=True)
                ],
                time.time(),
            )
    profile_model = ProfileModel(profile)
    profile_model.catch_up()
    profile_model.save()


def _none() -> Samples:
    return np.zeros(0, np.float32)


@dataclass
class Run:
    """`streamer run --web --json` at real pace. told: when each utterance's line came."""

    words: list[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    told: dict[int, float] = field(default_factory=dict)
    url: str = ""

    def __enter__(self) -> "Run":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamer", "run", "--realtime", "--json", *self.words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if "--web" in self.words else None,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if "--web" in self.words:
            assert self._process.stderr
            self.url = re.search(r"http://\S+", self._process.stderr.readline().decode()).group(0)
        return self

    def __exit__(self, *error: object) -> None:
        code = self._process.wait()
        self._reader.join()
        if code:
            raise SystemExit(f"streamer run {' '.join(self.words)} failed")

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            event = json.loads(line)
            self.events.append(event)
            if event["event"] == "utterance":
                self.told[event["id"]] = time.time()

    @property
    def latencies_ms(self) -> list[float]:
        return [event["latency_ms"] for event in self.events if event["event"] == "utterance"]


@contextmanager
def flood(url: str, seconds: float) -> Iterator[dict[str, int]]:
    """Requests that are refused, about BAD_A_SECOND of them, while inside or for `seconds`."""
    port = int(re.search(r":(\d+)/", url).group(1))
    counts = {"refused": 0, "failed": 0}
    over = threading.Event()
    bad = f"GET /api/next HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncookie: a=b\r\n\r\n".encode()

    def send() -> None:
        until_s = time.monotonic() + seconds
        connection = socket.create_connection(("127.0.0.1", port))
        while not over.is_set() and time.monotonic() < until_s:
            due_s = time.monotonic() + 10 * FLOODERS / BAD_A_SECOND
            for _ in range(10):
                try:
                    connection.sendall(bad)
                    answer = connection.recv(65_536)
                    while not answer.endswith(LAST_WORDS):
                        answer += connection.recv(65_536) or LAST_WORDS
                    counts["refused" if b" 403 " in answer[:20] else "failed"] += 1
                except OSError:
                    counts["failed"] += 1
                    connection = socket.create_connection(("127.0.0.1", port))
            over.wait(max(0.0, due_s - time.monotonic()))

    threads = [threading.Thread(target=send) for _ in range(FLOODERS)]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        over.set()
        for thread in threads:
            thread.join()


def watch(run: Run, seconds: float) -> dict[str, Any]:
    """Three pages: how soon the label page can be used, and how soon an utterance shows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context()
        pages = [context.new_page() for _ in PAGES]
        base = run.url.split("/?")[0]
        pages[0].goto(run.url)
        usable = []
        for _ in range(ROUNDS):
            begun_s = time.perf_counter()
            pages[0].goto(base)
            pages[0].wait_for_selector("#work:not([hidden])")
            usable.append(time.perf_counter() - begun_s)
        for page, name in zip(pages[1:], PAGES[1:], strict=True):
            page.goto(f"{base}/{name}")
        pages[1].wait_for_selector("#rows tr")
        pages[1].evaluate(WATCH)
        pages[1].wait_for_timeout(1000 * seconds)
        appeared = dict(pages[1].evaluate("() => appeared"))
        browser.close()
    delays = [1000 * (at - run.told[int(n)]) for n, at in appeared.items() if int(n) in run.told]
    return {
        "label_page_usable_s_median": statistics.median(usable),
        "label_page_usable_s_worst": max(usable),
        "event_shown_ms_median": statistics.median(delays),
        "event_shown_ms_worst": max(delays),
        "events": len(delays),
    }


def latency(run: Run) -> dict[str, float]:
    values = run.latencies_ms
    return {
        "utterances": len(values),
        "latency_ms_median": statistics.median(values),
        "latency_ms_p95": float(np.quantile(values, 0.95)),
        "dropped_samples": sum(run.events[-1]["dropped_samples"].values()),
        "realtime_factor": run.events[-1]["realtime_factor"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--utterances", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found: dict[str, Any] = {"machine": machine(), "utterances": chosen.utterances}
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as place:
        folder = Path(place) / "profile"
        recording = Path(place) / "session.wav"
        audio, _ = synthetic_session(np.random.default_rng(5), round(chosen.seconds / 3))
        soundfile.write(recording, audio, RATE_HZ)
        words = ["--profile", str(folder), "--input", str(recording)]
        words += ["--max-seconds", str(chosen.seconds)]
        with Run([*words[:4], "--max-seconds", "8"]):
            pass
        profile = Profile(folder)
        fill(profile, chosen.utterances)
        profile.close()
        with Run([*words, "--no-web"]) as alone:
            pass
        found["alone"] = latency(alone)
        with Run([*words, "--web", "--port", "0"]) as watched:
            found["pages"] = watch(watched, chosen.seconds / 2)
        found["three_pages"] = latency(watched)
        with Run([*words, "--web", "--port", "0"]) as flooded:
            while not flooded.told:
                time.sleep(0.1)
            with flood(flooded.url, chosen.seconds) as counts:
                time.sleep(max(10.0, chosen.seconds / 2))
        found["flooded"] = {**latency(flooded), **counts}
    text = json.dumps(found, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
