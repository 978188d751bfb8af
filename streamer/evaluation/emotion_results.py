"""What a corpus's emotion labels say of an encoder: its confusions, and enrolment."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from streamer.evaluation.confusion import Confusion
from streamer.evaluation.enrolment import EnrolmentResult

CONFUSION_NAME = "confusion.csv"
ENROLMENT_NAME = "enrolment.csv"


@dataclass(frozen=True, slots=True, eq=False)
class EmotionResults:
    """enrolment: empty where no speaker has enough clips, or there are no recordings."""

    confusion: Confusion
    enrolment: Sequence[EnrolmentResult]

    def sentences(self) -> list[str]:
        """The findings, a sentence each."""
        worst = self.confusion.most_confused()
        confused = (
            "" if worst is None else f"; {worst[0]} is taken for {worst[1]} most, {worst[2]:.0%}"
        )
        found = [
            f"Emotions, all labels of other speakers: unweighted average recall "
            f"{self.confusion.uar:.3f} of {len(self.confusion.classes)}{confused}."
        ]
        if self.enrolment:
            one = self.enrolment[-1]
            found.append(
                f"Emotions, {one.enrolled} clips of each enrolled by the speaker: unweighted "
                f"average recall {one.uar:.3f} (chance {one.chance:.3f}), equal error rate "
                f"{one.eer:.3f}, over {one.speakers} speakers."
            )
        return found

    def html(self) -> str:
        """Both as tables of a page."""
        names = self.confusion.classes
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        tested = self.confusion.counts.sum(axis=1)
        rows = "\n".join(
            f"<tr><td>{escape(name)}</td>"
            + "".join(f"<td>{count / max(total, 1):.0%}</td>" for count in row)
            + f"<td>{total}</td></tr>"
            for name, row, total in zip(names, self.confusion.counts, tested, strict=True)
        )
        text = f"""<section>
<h2>Emotions, confusion matrix</h2>
<div class="scroll"><table>
<caption>Rows: the label; columns: what a linear classifier recognizes in speakers that it
did not learn from, with all labels of the others. Unweighted average recall
{self.confusion.uar:.3f}.</caption>
<tr><th>label</th>{head}<th>clips</th></tr>
{rows}
</table></div>
</section>"""
        if not self.enrolment:
            return text
        rows = "\n".join(
            f"<tr><td>{one.enrolled}</td><td>{one.uar:.3f} ± {one.deviation:.3f}</td>"
            f"<td>{one.chance:.3f}</td><td>{one.eer:.3f}</td><td>{one.speakers}</td></tr>"
            for one in self.enrolment
        )
        return f"""{text}
<section>
<h2>Emotions, enrolled and verified</h2>
<div class="scroll"><table>
<caption>Clips of each emotion enrolled by a speaker, and the others of the same speaker verified by
the nearest prototype; mean ± deviation over speakers.</caption>
<tr><th>enrolled</th><th>unweighted average recall</th><th>chance</th><th>equal error rate</th>
<th>speakers</th></tr>
{rows}
</table></div>
</section>"""


def write_emotion_tables(folder: Path, results: EmotionResults) -> None:
    """confusion.csv (label, recognized, clips) and enrolment.csv."""
    names = results.confusion.classes
    with (folder / CONFUSION_NAME).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("label", "recognized", "clips"))
        for label, row in zip(names, results.confusion.counts, strict=True):
            writer.writerows((label, name, int(n)) for name, n in zip(names, row, strict=True))
    with (folder / ENROLMENT_NAME).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("enrolled", "speakers", "uar", "deviation", "chance", "eer"))
        writer.writerows(
            (one.enrolled, one.speakers, one.uar, one.deviation, one.chance, one.eer)
            for one in results.enrolment
        )
