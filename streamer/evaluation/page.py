"""An experiment as one HTML page: the result in a sentence, the curves, and their tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from streamer.evaluation.drawing import draw
from streamer.evaluation.emotion_results import EmotionResults
from streamer.evaluation.leaderboard import PASSIVE, Board, Standing
from streamer.evaluation.significance import LEVEL

_MEASURES: Final = {
    "ccc": "concordance (CCC)",
    "spread-ccc": "concordance (CCC), predictions with the labels' variance",
    "cc": "correlation (CC)",
    "rmse": "root mean squared error",
    "spread-rmse": "root mean squared error, predictions with the labels' variance",
    "uar": "unweighted average recall (UAR)",
    "wa": "accuracy (WA)",
    "whole-ccc": "concordance (CCC) of the whole target, answers included",
    "whole-cc": "correlation (CC) of the whole target, answers included",
    "whole-rmse": "root mean squared error of the whole target, answers included",
    "whole-uar": "unweighted average recall (UAR) of the whole target, answers included",
    "whole-wa": "accuracy (WA) of the whole target, answers included",
    "prequential-ccc": "concordance (CCC) of the last 400 utterances, predicted before labelling",
}
# Shown first; the others are folded.
_LEADING: Final = ("ccc", "uar")

_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fdfdfc; --ink: #1d1f21; --soft: #666b70;
  --hair: #e2e3e1; --c0: #0b6fa4; --c1: #c2410c; --c2: #15803d; --c3: #9333a8; --c4: #a16207;
  --c5: #be185d; --other: #c9ccce; }
@media (prefers-color-scheme: dark) { :root { --paper: #17191b; --ink: #e8e8e6; --soft: #a0a5aa;
  --hair: #303438; --c0: #5cb8ee; --c1: #fb923c; --c2: #5fd08a; --c3: #d19bf0; --c4: #e6c04f;
  --c5: #f58fb8; --other: #4a4f54; } }
body { background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .3rem; }
p { margin: .4rem 0; } .soft, caption { color: var(--soft); font-size: .9rem; }
.answer { font-size: 1.1rem; margin: 1.2rem 0; padding-left: .8rem;
  border-left: 3px solid var(--c0); }
svg { width: 100%; height: auto; display: block; margin: .6rem 0; }
svg .grid, svg .zero { stroke: var(--hair); } svg .axis { stroke: var(--soft); }
svg .tick { fill: var(--soft); font-size: 12px; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .level { stroke: var(--soft); stroke-dasharray: 1 4; }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg polygon { stroke: none; opacity: .11; } svg .lead { fill: none; opacity: .6; }
svg .name { font-size: 13px; stroke: none; }
svg .other { stroke: var(--other); stroke-width: 1; }
svg .passive { stroke: var(--ink); } svg polyline.passive { stroke-dasharray: 6 4; }
svg polygon.passive, svg text.passive { fill: var(--ink); stroke: none; }
COLOURS
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: right; padding: .2rem .5rem; border-bottom: 1px solid var(--hair);
  white-space: nowrap; }
th { font-weight: 600; color: var(--soft); font-size: .85rem; } th:first-child,
td:first-child { text-align: left; } tr.passive td { font-style: italic; }
details summary { cursor: pointer; color: var(--soft); margin-top: 2rem; }
@media print { :root { --paper: #fff; --ink: #000; --soft: #444; --hair: #ccc; }
  body { max-width: none; margin: 0; } section { break-inside: avoid; } }
""".replace(
    "COLOURS",
    "\n".join(
        f"svg .c{k} {{ stroke: var(--c{k}); }} svg polygon.c{k}, svg text.c{k} "
        f"{{ fill: var(--c{k}); stroke: none; }}"
        for k in range(6)
    ),
)


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """The description of an experiment: its corpus, scenario and learner.

    strategy: the subject of the page's first sentence.
    """

    corpus: str
    scenario: str
    learner: str
    strategy: str


def page(
    about: ExperimentSummary, boards: Sequence[Board], emotions: EmotionResults | None = None
) -> str:
    """A self-contained HTML page without scripts, with light and dark colours, printable."""
    leading = [board for board in boards if _measure(board) in _LEADING]
    others = [board for board in boards if board not in leading]
    found = [answer(about.strategy, board) for board in leading]
    found += [] if emotions is None else emotions.sentences()
    order = _order(about.strategy, leading or boards)
    sections = "\n".join(_section(board, order) for board in leading)
    if emotions is not None:
        sections += "\n" + emotions.html()
    if others:
        rest = "\n".join(_section(board, order) for board in others)
        sections += f"\n<details><summary>Other measures</summary>\n{rest}\n</details>"
    runs = boards[0].runs if boards else 0
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Streamer: learning curves on {escape(about.corpus)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Learning curves on {escape(about.corpus)}</h1>
<p class="soft">{escape(about.scenario)} Learner: {escape(about.learner)}. {runs} runs.</p>
<div class="answer">{"".join(f"<p>{escape(text)}</p>" for text in found)}</div>
<p class="soft">Each line is the mean over the runs, the bands are one standard deviation. Runs
differ in their speakers or in the order of utterances. Dashed: passive learning (random);
dotted: its best.</p>
{sections}
</body>
</html>
"""


def answer(strategy: str, board: Board) -> str:
    """One sentence: a strategy against passive learning for one metric."""
    found = next((s for s in board.standings if s.strategy == strategy), None)
    title = _title(board.name)
    if found is None or found.compared is None:
        return (
            f"{title}: passive learning is best ({board.passive_best:.3f}) with "
            f"{board.passive_labels:.0f} labels."
        )
    if np.array_equal(board.curves[strategy].values, board.curves[PASSIVE].values):
        return (
            f"{title}: {strategy} asked the same as passive learning; these labels gave it no "
            "basis for a choice."
        )
    if found.needed is None:
        reach = f"never reaches passive learning's best ({board.passive_best:.3f})"
    else:
        reach = (
            f"reaches passive learning's best ({board.passive_best:.3f}) with {found.needed:.0f} "
            f"labels instead of {board.passive_labels:.0f}"
        )
    verdict = {
        "+": f"it is significantly better over the whole curve (p = {found.compared.p:.3f})",
        "-": f"it is significantly worse over the whole curve (p = {found.compared.p:.3f})",
        "": f"over the whole curve the difference is not significant (p = {found.compared.p:.2f})",
    }[found.compared.mark]
    return f"{title}: {strategy} {reach}; {verdict}."


def _order(first: str, boards: Sequence[Board]) -> list[str]:
    """The strategies other than passive learning, in the order of their colours.

    The subject of the page comes first, then the others by mean rank over the boards.
    """
    places: dict[str, int] = {}
    for board in boards:
        for place, standing in enumerate(board.standings):
            places[standing.strategy] = places.get(standing.strategy, 0) + place
    places.pop(PASSIVE, None)
    return sorted(places, key=lambda name: (name != first, places[name]))


def _section(board: Board, order: Sequence[str]) -> str:
    rows = "\n".join(_row(standing) for standing in board.standings)
    title = _title(board.name)
    return f"""<section>
<h2>{escape(title)}</h2>
{draw(board, order)}
<div class="scroll"><table>
<caption>Sorted by area under the curve. Against random: the median difference of
the runs. p: Wilcoxon signed-rank over {board.runs} runs, corrected by Holm; marked + or −
below {LEVEL:g}.</caption>
<tr><th>strategy</th><th>area</th><th>against random</th><th>p</th><th>at the end</th>
<th>labels to reach passive's best</th></tr>
{rows}
</table></div>
</section>"""


def _row(standing: Standing) -> str:
    compared = standing.compared
    needed = "never" if standing.needed is None else f"{standing.needed:.0f}"
    if standing.part is not None and compared is not None:
        needed += f" ({standing.part:.0%})"
    gain, p = ("", "")
    if compared is not None:
        mark = {"+": " +", "-": " −", "": ""}[compared.mark]
        gain, p = f"{compared.gain:+.4f}".replace("-", "−"), f"{compared.p:.3f}{mark}"
    kind = ' class="passive"' if standing.strategy == PASSIVE else ""
    return (
        f"<tr{kind}><td>{escape(standing.strategy)}</td><td>{standing.area:.3f}</td>"
        f"<td>{gain}</td><td>{p}</td><td>{standing.final:.3f} ± {standing.final_deviation:.3f}"
        f"</td><td>{needed}</td></tr>"
    )


def _measure(board: Board) -> str:
    return board.name.split("/", 1)[1]


def _title(name: str) -> str:
    what, measure = name.split("/", 1)
    return f"{what.capitalize()}, {_MEASURES.get(measure, measure)}"
