"""Pictures show what their clips hold, so they are forgotten with them."""

from streamer.store.marks import Marks
from streamer.web.picture_cache import PictureCache

NOW, LATER = Marks("a", "b"), Marks("a", "c")


def test_each_is_drawn_once_until_something_is_forgotten() -> None:
    drawn: list[bytes] = []
    cache = PictureCache(lambda clip: {"nth": drawn.append(clip) or len(drawn)}, most=2)
    cache.follow(NOW)
    assert [cache.picture(c, NOW)["nth"] for c in (b"one", b"two", b"one")] == [1, 2, 1]
    cache.picture(b"three", NOW)
    assert cache.picture(b"one", NOW)["nth"] == 4  # the oldest made room
    cache.follow(LATER)
    assert not cache._pictures
    assert cache.picture(b"three", LATER)["nth"] == 5


def test_one_that_was_forgotten_while_it_was_drawn_is_not_kept() -> None:
    cache = PictureCache(lambda clip: cache.follow(LATER) or {"of": len(clip)})
    cache.follow(NOW)
    assert cache.picture(b"one", NOW) == {"of": 3}
    assert not cache._pictures
