"""Events on their way to the pages: nobody waits for a slow one."""

import asyncio
import json

import pytest

from streamer.web.events import MOST_PAGES, PENDING, WAITING, EventHub, TooManyPages


def parsed(text: str) -> tuple[str, dict]:
    lines = [line for line in text.splitlines() if not line.startswith("retry")]
    return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


def test_a_page_hears_what_is_true_already_and_then_all_that_happens():
    async def main():
        hub = EventHub()
        hub.publish("start", {"version": "1"})
        hub.publish("utterance", {"id": 1})  # nobody looked
        stream = hub.follow()
        assert parsed(await anext(stream)) == ("hello", {"start": {"version": "1"}})
        hub.publish("utterance", {"id": 2})
        hub.publish("learned", {"utterance": 2})
        assert parsed(await anext(stream)) == ("utterance", {"id": 2})
        assert parsed(await anext(stream)) == ("learned", {"utterance": 2})

    asyncio.run(main())


def test_events_come_from_another_thread_in_order():
    async def main():
        hub = EventHub()
        stream = hub.follow()
        await anext(stream)

        def tell():
            for number in range(WAITING):
                hub.publish("utterance", {"id": number})

        await asyncio.to_thread(tell)
        heard = [parsed(await anext(stream))[1]["id"] for _ in range(WAITING)]
        assert heard == list(range(WAITING))

    asyncio.run(main())


def test_a_page_that_does_not_read_loses_its_events_and_is_told_so():
    async def main():
        hub = EventHub()
        slow, quick = hub.follow(), hub.follow()
        await anext(slow)
        await anext(quick)
        heard = []
        for number in range(WAITING + 1):
            hub.publish("utterance", {"id": number})
            heard.append(parsed(await anext(quick))[1]["id"])
        assert heard == list(range(WAITING + 1))
        assert hub.reloads == 1
        assert parsed(await anext(slow)) == ("reload", {})
        hub.publish("utterance", {"id": 1000})
        assert parsed(await anext(slow))[1] == {"id": 1000}

    asyncio.run(main())


def test_what_nobody_takes_does_not_pile_up():
    """The web thread stands still: the listening one goes on, at no more cost."""

    async def main():
        hub = EventHub()
        stream = hub.follow()
        await anext(stream)
        for number in range(3 * PENDING):
            hub.publish("utterance", {"id": number})
        assert len(hub._pending) == PENDING
        assert parsed(await anext(stream))[0] in {"reload", "utterance"}

    asyncio.run(main())


def test_a_closed_page_is_forgotten_and_a_closed_hub_ends_all():
    async def main():
        hub = EventHub()
        gone, stays = hub.follow(), hub.follow()
        await anext(gone)
        await anext(stays)
        await gone.aclose()
        assert hub.watched
        hub.close()
        with pytest.raises(StopAsyncIteration):
            await anext(stays)
        assert not hub.watched

    asyncio.run(main())


def test_there_is_an_end_to_the_number_of_pages():
    async def main():
        hub = EventHub()
        streams = [hub.follow() for _ in range(MOST_PAGES)]
        for stream in streams:
            await anext(stream)
        with pytest.raises(TooManyPages):
            await anext(hub.follow())
        for stream in streams:
            await stream.aclose()

    asyncio.run(main())


def test_after_the_web_server_has_ended_listening_goes_on():
    hub = EventHub()

    async def main():
        await anext(hub.follow())
        hub._pages.add(asyncio.Queue())  # as of a page that the end of the loop left open

    asyncio.run(main())
    hub.publish("utterance", {"id": 1})
    hub.close()
