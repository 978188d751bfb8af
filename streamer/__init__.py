"""Streamer: speech emotion that learns on the device.

From sound to two vectors, from vectors and labels to a model of one voice, or the whole loop:

>>> import streamer
>>> encoder = streamer.load_encoder("acoustic")
>>> model = streamer.OnlineModel(encoder)

>>> for event in streamer.Loop("meeting.flac"):  # doctest: +SKIP
...     print(event)

Everything is loaded when it is first used: `import streamer` itself costs milliseconds. Errors are
in `streamer.errors`, events in `streamer.events`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamer import errors, events
    from streamer.learners.plugged import OnlineRegressor
    from streamer.learners.river import RiverBayesianRegression
    from streamer.loop.encoder import SpeechEncoder, load_encoder
    from streamer.loop.loop import Loop
    from streamer.loop.online_model import OnlineModel
    from streamer.loop.table.table import Table, table
    from streamer.query.strategy import Batch, Knowledge, Ranking, Scores, Strategy
    from streamer.testing.learner_contract import check_learner
    from streamer.testing.strategy_contract import check_strategy
    from streamer.types import Encoding, Estimate, Prediction, Verdict

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Encoding",
    "Estimate",
    "Knowledge",
    "Loop",
    "OnlineModel",
    "OnlineRegressor",
    "Prediction",
    "Ranking",
    "RiverBayesianRegression",
    "Scores",
    "SpeechEncoder",
    "Strategy",
    "Table",
    "Verdict",
    "__version__",
    "check_learner",
    "check_strategy",
    "errors",
    "events",
    "load_encoder",
    "table",
]

_PLACES = {
    "Batch": "query.strategy",
    "Encoding": "types",
    "Estimate": "types",
    "Knowledge": "query.strategy",
    "Loop": "loop.loop",
    "OnlineModel": "loop.online_model",
    "OnlineRegressor": "learners.plugged",
    "Prediction": "types",
    "Ranking": "query.strategy",
    "RiverBayesianRegression": "learners.river",
    "Scores": "query.strategy",
    "SpeechEncoder": "loop.encoder",
    "Strategy": "query.strategy",
    "Table": "loop.table.table",
    "Verdict": "types",
    "check_learner": "testing.learner_contract",
    "check_strategy": "testing.strategy_contract",
    "load_encoder": "loop.encoder",
    "table": "loop.table.table",
}


def __getattr__(name: str) -> Any:
    if name in ("errors", "events"):
        return import_module(f"streamer.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module 'streamer' has no attribute {name!r}")
    found = getattr(import_module(f"streamer.{_PLACES[name]}"), name)
    globals()[name] = found  # the next time it is there at once
    return found


def __dir__() -> list[str]:
    return list(__all__)
