"""A screen in front of another one that also tells what the load shedder did."""

from collections.abc import Callable

from streamer.encoders.load_shedding import LoadShedder
from streamer.events import Event, Noticed, Status
from streamer.loop.run import Screen


class LoadNotices:
    """A screen in front of another one, which is shown the ladder's news too."""

    def __init__(self, screen: Screen, load_shedder: LoadShedder) -> None:
        self._screen = screen
        self._load_shedder = load_shedder

    def show(self, event: Event) -> None:
        self._screen.show(event)

    def refresh(self, status: Callable[[], Status]) -> None:
        while self._load_shedder.news:
            self._screen.show(Noticed(self._load_shedder.news.popleft()))
        self._screen.refresh(status)

    def close(self) -> None:
        self._screen.close()
