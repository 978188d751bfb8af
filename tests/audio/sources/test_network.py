"""What an http server hands out is heard; a broadcast that breaks off is taken up again."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.audio.sources.network import NetworkSource, shown
from streamer.audio.sources.open import open_source
from streamer.errors import UnreadableAudio
from streamer.types import Chunk, Gap, Notice
from tests.audio.hearing import hear_all, noise

pytest.importorskip("av", reason="needs PyAV: pip install 'streamer[media]'")


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` by path; those in `broadcasts` without a length, cut off in the middle."""

    files: dict[str, bytes]
    broadcasts: set[str]
    asked: int = 0


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = self.server.files.get(self.path)
        self.server.asked += 1
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        if self.path not in self.server.broadcasts:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server(("127.0.0.1", 0), Handler)
    served.files, served.broadcasts = {}, set()
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


def address(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}{path}"


def test_a_recording_is_heard_to_its_end(server: Server, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", noise(40_000), 16_000)
    server.files["/a.flac"] = (tmp_path / "a.flac").read_bytes()
    source = open_source(address(server, "/a.flac"))
    assert source.kind == "stream"
    heard = hear_all(source)
    (samples,) = heard.samples.values()
    np.testing.assert_allclose(samples, noise(40_000), atol=1e-4)
    assert heard.notices == []


def test_a_broadcast_that_breaks_off_is_taken_up_again(server: Server, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", noise(64_000), 16_000)
    server.files["/live"] = (tmp_path / "a.mp3").read_bytes()
    server.broadcasts.add("/live")
    source = NetworkSource(address(server, "/live"), sleep=lambda seconds: None)
    samples, gaps, notices = 0, [], []
    for item in source:
        if isinstance(item, Chunk):
            samples += len(item.samples)
        elif isinstance(item, Gap):
            gaps.append(item)
        elif isinstance(item, Notice):
            notices.append(item.text)
        if samples > 100_000:
            source.close()
    assert server.asked >= 2
    assert {gap.reason for gap in gaps} == {"stream_lost"}
    assert any("connecting again" in text for text in notices)
    assert any("is back" in text for text in notices)


def test_where_nothing_answers_it_is_refused(server: Server) -> None:
    with pytest.raises(UnreadableAudio, match="cannot be read as audio"):
        open_source(address(server, "/none.wav"))


def test_passwords_are_not_shown() -> None:
    assert shown("rtsp://me:secret@camera/1") == "rtsp://camera/1"
