"""Questions as files: what is filled in finds its utterance, in a table and in Label Studio."""

import csv
import json
import stat

import numpy as np
import pytest
import soundfile

from streamer.annotation.csv import read_labels
from streamer.annotation.exchange.label_studio import read as read_tasks
from streamer.annotation.pool.questions import QuestionFiles, open_rows, write_questions
from streamer.errors import UsageError
from streamer.loop.pool.pool import Pool
from tests.loop.pool.test_pool import recordings_of, rows_of

pytest.importorskip("pyarrow", reason="pyarrow (extra cluster) is not installed")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("talks")
    made = Pool.create(
        folder / "pool", encoder="small", sha256="ab" * 32, embedding_size=4, emotion_size=3,
        precision="float16",
    )  # fmt: skip
    rows = rows_of(0, 4)
    rows["file"] = [str(folder / name) for name in ("0.wav", "=1.wav", "2.wav", "gone.wav")]
    for name in rows["file"][:3]:
        sound = np.random.default_rng(0).normal(0, 0.1, (8_000 * 9, 2))
        soundfile.write(name, sound, 8_000)
    rows["channel"] = [None, 2, None, None]
    with made.writing():
        made.write_part(rows, recordings_of(0, 4))
    return made


def test_a_table_with_its_sound_and_tasks(pool, tmp_path):
    files = QuestionFiles.beside(tmp_path / "ask.csv", with_audio=True)
    assert write_questions(files, pool, {31: 2, 30: 0, 33: 3, 32: 1}) == 3
    with files.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["utterance"] for row in rows] == ["31", "30", "33", "32"]
    assert [row["clip"] for row in rows][1:3] == ["ask_clips/30.wav", ""]
    assert (float(rows[0]["onset"]), float(rows[0]["offset"])) == (2.25, 3.5)
    sound, rate_hz = soundfile.read(tmp_path / rows[0]["clip"])
    assert rate_hz == 16_000
    assert len(sound) == pytest.approx(1.25 * 16_000, abs=2)
    for path in (files.table, files.tasks, tmp_path / "ask_clips" / "30.wav"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_filled_in_is_read_without_a_word(pool, tmp_path):
    files = QuestionFiles.beside(tmp_path / "ask.csv", with_audio=False)
    write_questions(files, pool, {30: 0, 32: 1})
    with files.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[1] |= {"valence": "0.5", "arousal": "-0.25", "emotion": "joy"}
    with files.table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    read = read_labels(files.table, "ann")
    assert [(one.utterance, one.valence, one.emotion) for one in read.labels] == [(32, 0.5, "joy")]
    assert read.notes == ["left out 1 row without an answer"]


def test_label_studios_answers_find_their_utterance(pool, tmp_path):
    files = QuestionFiles.beside(tmp_path / "ask.csv", with_audio=True)
    write_questions(files, pool, {30: 0, 33: 3})
    tasks = json.loads(files.tasks.read_text())
    assert tasks[0]["data"]["audio"] == "ask_clips/30.wav"
    for task, value in zip(tasks, (0.5, -0.5), strict=True):
        results = [
            {"from_name": name, "to_name": "audio", "type": "number", "value": {"number": value}}
            for name in ("valence", "arousal")
        ]
        task["annotations"] = [{"result": results, "completed_by": {"email": "ann"}}]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    answers = [(one.utterance, one.values, one.annotator) for one in
               read_tasks(tmp_path / "export.json")]  # fmt: skip
    assert answers == [
        (30, {"valence": 0.5, "arousal": 0.5}, "ann"),
        (33, {"valence": -0.5, "arousal": -0.5}, "ann"),
    ]


def test_answers_are_never_written_over(tmp_path):
    for name in ("ask.csv", "ask.json", "ask_clips"):
        (tmp_path / name).touch()
        with pytest.raises(UsageError, match="is there already, perhaps with answers"):
            QuestionFiles.beside(tmp_path / "ask.csv", with_audio=True)
        (tmp_path / name).unlink()
    with pytest.raises(UsageError, match=r"ends in \.csv"):
        QuestionFiles.beside(tmp_path / "ask.xlsx", with_audio=True)
    with pytest.raises(UsageError, match="there is no folder"):
        QuestionFiles.beside(tmp_path / "no" / "ask.csv", with_audio=True)


def test_open_questions_of_this_pool_alone():
    assert open_rows([5, 3, 9], {3: 30, 5: 50}) == {5: 50, 3: 30}
