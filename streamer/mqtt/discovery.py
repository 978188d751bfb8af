"""What Home Assistant needs to show a profile as a device without any set-up.

One retained configuration for each entity, under homeassistant/COMPONENT/NODE/OBJECT/config.
"""

from collections.abc import Iterator
from typing import Any, Final

from streamer import __version__
from streamer.types import DIMENSIONS

PREFIX: Final = "homeassistant"


def entities(node: str, topic: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(topic, configuration) of every entity. node: this machine and profile, as letters, digits
    and "-"; topic: the prefix of its utterances, state and availability.
    """
    for name in DIMENSIONS:
        yield _sensor(
            node, topic, name, "utterance", f"{{{{ value_json.{name}.mean }}}}",
            state_class="measurement", suggested_display_precision=2,
            json_attributes_topic=f"{topic}/utterance",
            json_attributes_template=f"{{{{ value_json.{name} | tojson }}}}",
        )  # fmt: skip
    yield _sensor(
        node, topic, "emotion", "utterance", "{{ value_json.verdict.emotion or 'unknown' }}"
    )
    yield _sensor(
        node, topic, "notice", "notice", "{{ value_json.kind }}",
        json_attributes_topic=f"{topic}/notice", entity_category="diagnostic",
    )  # fmt: skip
    for name in ("utterances", "open_queries", "labels"):
        yield _sensor(
            node, topic, name, "state", f"{{{{ value_json.{name} }}}}", state_class="measurement",
            entity_category="diagnostic",
        )  # fmt: skip


def _sensor(
    node: str, topic: str, name: str, subtopic: str, template: str, **more: str | int
) -> tuple[str, dict[str, Any]]:
    return f"{PREFIX}/sensor/{node}/{name}/config", {
        "name": name.replace("_", " ").capitalize(),
        "unique_id": f"{node}_{name}",
        "state_topic": f"{topic}/{subtopic}",
        "value_template": template,
        "availability_topic": f"{topic}/availability",
        "device": {"identifiers": [node], "name": node, "sw_version": __version__},
        **more,
    }
