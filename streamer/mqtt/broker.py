"""The address of an MQTT broker."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from streamer.errors import UsageError

PORT: Final = 1883
TLS_PORT: Final = 8883


@dataclass(frozen=True, slots=True)
class Broker:
    """user, password: None for a broker without a login. tls: with the system's certificates."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, text: str, user: str | None = None, password: str | None = None) -> Self:
        """HOST, HOST:PORT, or either after mqtt:// or mqtts:// (TLS).

        >>> Broker.parse("mqtts://home.example")
        Broker(host='home.example', port=8883, tls=True, user=None, password=None)

        Raises UsageError, also for a password in the text: other users can read command lines.
        """
        try:
            parts = urlsplit(text if "://" in text else f"mqtt://{text}")
            host, port = parts.hostname, parts.port
            (host or "").encode("idna")  # else paho's thread would fail silently
        except ValueError as error:
            raise UsageError(f"--mqtt {text}: {error}: give HOST or HOST:PORT") from error
        if parts.scheme not in {"mqtt", "mqtts"} or not host or parts.path not in {"", "/"}:
            raise UsageError(f"--mqtt {text}: give HOST, HOST:PORT or mqtts://HOST:PORT")
        if "@" in parts.netloc:
            raise UsageError(
                "--mqtt: other users can read a password given there; set STREAMER_MQTT_USER and "
                "STREAMER_MQTT_PASSWORD in the environment"
            )
        tls = parts.scheme == "mqtts"
        return cls(host, port or (TLS_PORT if tls else PORT), tls, user, password)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
