"""How long a save on the label page takes while the loop listens in the same process.

    python -m benchmarks.label_latency [--seconds 120] [--tree FOLDER ...] [--out FILE.json]

`streamer run --web` plays a made-up session at its pace; meanwhile questions are answered over
HTTP, one every half second, as the page does. Each tree is a checkout to measure, by default this
one; several take turns within one run, on one profile each, so that they meet the same machine.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.loop import machine
from streamer.testing import synthetic_session

HERE = Path(__file__).resolve().parent.parent
ROUNDS = 2
PAUSE_S = 0.5
RATE_HZ = 16_000


class Page:
    """A browser's requests, over one connection that is kept."""

    def __init__(self, url: str) -> None:
        port = int(re.search(r":(\d+)/", url).group(1))
        self._host = f"127.0.0.1:{port}"
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookie, self._base = "", ""
        answer = self._request("GET", "/?" + url.split("/?")[1], {})
        self._cookie = answer.getheader("set-cookie").split(";")[0]
        # Where the pages are, for whoever has the token: at the root in earlier versions.
        self._base = (answer.getheader("location") or "/").rstrip("/")
        answer.read()

    def get(self, path: str) -> dict[str, Any]:
        return json.loads(self._request("GET", path, {}).read())

    def post(self, path: str, **values: Any) -> dict[str, Any]:
        headers = {"origin": f"http://{self._host}", "content-type": "application/json"}
        return json.loads(self._request("POST", path, headers, json.dumps(values)).read())

    def _request(self, method: str, path: str, headers: dict[str, str], body: str = "") -> Any:
        cookie = {"cookie": self._cookie} if self._cookie else {}
        said = {"host": self._host, **cookie, **headers}
        self._connection.request(method, self._base + path, body or None, said)
        return self._connection.getresponse()


def streamer(tree: Path, words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "streamer", "run", "--buffer", "4", *words],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def measure(tree: Path, recording: Path, profile: Path, answers: int) -> dict[str, list[float]]:
    """Milliseconds of each save, from its start until it is learned, and of a request without work.

    The last is what server and machine cost by themselves.
    """
    words = ["--json", "--profile", str(profile), "--input", str(recording)]
    process = streamer(tree, [*words, "--web", "--port", "0", "--realtime"])
    assert process.stdout
    assert process.stderr
    url = re.search(r"http://\S+", process.stderr.readline()).group(0)
    learned: dict[int, float] = {}
    begun = threading.Event()

    def read() -> None:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "utterance":
                begun.set()
            if event["event"] == "learned":
                learned[event["utterance"]] = time.perf_counter()

    reader = threading.Thread(target=read)
    reader.start()
    begun.wait(120)
    page = Page(url)  # only now: the server closes a connection that is idle for long
    first = page.get("/api/next")["item"]["utterance"]
    page.get(f"/clips/{first}/picture")  # whatever pictures need is loaded by then
    save_ms, known_ms, empty_ms = [], [], []
    rng = np.random.default_rng(len(str(tree)))
    for _ in range(answers):
        time.sleep(PAUSE_S)
        begun_s = time.perf_counter()
        page.get("/health")
        empty_ms.append(1e3 * (time.perf_counter() - begun_s))
        item = page.get("/api/next")["item"]
        if item is None:
            break
        valence, arousal = rng.uniform(-1, 1, 2)
        begun_s = time.perf_counter()
        saved = page.post(
            "/api/labels", utterance=item["utterance"], annotator="me",
            valence=valence, arousal=arousal, dominance=None, emotion=None,
        )  # fmt: skip
        save_ms.append(1e3 * (time.perf_counter() - begun_s))
        while saved["now"] is None and item["utterance"] not in learned:
            time.sleep(0.001)
        known_ms.append(1e3 * (time.perf_counter() - begun_s))
    process.terminate()
    process.wait(60)
    reader.join()
    return {"save_ms": save_ms, "learned_ms": known_ms, "empty_request_ms": empty_ms}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--tree", type=Path, action="append")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    trees = [tree.resolve() for tree in chosen.tree or [HERE]]
    found: dict[str, dict[str, list[float]]] = {str(tree): {} for tree in trees}
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as place:
        # A profile hears a recording once: a session to begin with, then another each round.
        recordings = [Path(place) / f"session{at}.wav" for at in range(ROUNDS + 1)]
        for seed, recording in enumerate(recordings, start=5):
            audio, _ = synthetic_session(np.random.default_rng(seed), round(chosen.seconds / 3))
            soundfile.write(recording, audio, RATE_HZ)
        profiles = {tree: Path(place) / f"profile{at}" for at, tree in enumerate(trees)}
        for tree, profile in profiles.items():  # questions to begin with
            asked = [
                "--json", "--no-web", "--profile", str(profile),
                "--input", str(recordings[0]), "--keep", "1",
            ]  # fmt: skip
            process = streamer(tree, asked)
            process.communicate()
            if process.returncode:
                raise SystemExit(f"streamer run failed in {tree}")
        for recording in recordings[1:]:
            for tree, profile in profiles.items():
                for name, values in measure(tree, recording, profile, chosen.answers).items():
                    found[str(tree)].setdefault(name, []).extend(values)
    result = {
        "machine": machine(),
        "trees": {
            Path(tree).name: {
                name: {
                    "count": len(values),
                    "median": statistics.median(values),
                    "p90": float(np.quantile(values, 0.9)),
                    "worst": max(values),
                }
                for name, values in measured.items()
            }
            for tree, measured in found.items()
        },
    }
    text = json.dumps(result, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
