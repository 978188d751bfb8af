"""Which broker an address means, and which addresses are refused."""

import pytest

from streamer.errors import UsageError
from streamer.mqtt.broker import Broker


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("home.example", "home.example", 1883, False),
        ("home.example:1884", "home.example", 1884, False),
        ("[::1]:1884", "::1", 1884, False),
        ("mqtt://10.0.0.2/", "10.0.0.2", 1883, False),
        ("mqtts://home.example", "home.example", 8883, True),
        ("mqtts://home.example:99", "home.example", 99, True),
    ],
)
def test_an_address_is_read(text, host, port, tls):
    assert Broker.parse(text) == Broker(host, port, tls)


@pytest.mark.parametrize(
    "text",
    ["", "host:port", "host:99999", "http://host", "host/topic", "mqtt://", "[::1", "home..lan"],
)
def test_what_is_no_address_is_told(text):
    with pytest.raises(UsageError, match="--mqtt"):
        Broker.parse(text)


def test_a_password_on_the_command_line_is_refused_and_not_repeated():
    with pytest.raises(UsageError) as refused:
        Broker.parse("mqtt://me:hunter2@home.example")
    assert "hunter2" not in str(refused.value)
    assert "STREAMER_MQTT_PASSWORD" in str(refused.value)
