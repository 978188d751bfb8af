"""A raw student that begins as a log-mel student, read from the file that ships."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.synthetic_clips import voice, write_speech

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")
ort = pytest.importorskip("onnxruntime")

from streamer.training.data.targets import Cache, write_audio, write_mel  # noqa: E402
from streamer.training.data.wave_augment import WaveAugmentation  # noqa: E402
from streamer.training.export.embedder import Embedder  # noqa: E402
from streamer.training.export.onnx import write_onnx  # noqa: E402
from streamer.training.student.imitation import imitate, start_from  # noqa: E402
from streamer.training.student.network import Student, StudentShape  # noqa: E402
from streamer.training.student.raw_network import RawShape, RawStudent  # noqa: E402
from streamer.training.student.recipe import Recipe  # noqa: E402
from streamer.training.student.shipped import read_student  # noqa: E402

SHIPPED = Path(__file__).parents[3] / "models" / "streamer-small.onnx"
LOG_MEL = StudentShape(channels=32, layers=2, heads=2, position_groups=4)
RAW = RawShape(
    channels=32, layers=3, heads=2, position_groups=4, widths=(8, 8, 12, 12, 16, 16, 24, 24)
)


def students() -> tuple[Student, RawStudent]:
    torch.manual_seed(0)
    return Student(LOG_MEL).eval(), RawStudent(RAW)


@pytest.mark.parametrize("samples", [4_800, 50_001, 160_000])
def test_the_student_in_the_file_gives_the_files_blocks(samples):
    """What the file's emotion map makes of the means of the student's blocks is its `emotion`."""
    onnx = pytest.importorskip("onnx")
    student = read_student(SHIPPED)
    stored = {
        i.name: onnx.numpy_helper.to_array(i).astype(np.float32)
        for i in onnx.load(str(SHIPPED)).graph.initializer
        if i.name.startswith("emotion")
    }
    embedder = Embedder(student, (1, 128)).eval()
    audio = voice(samples / 16_000)[None]
    with torch.no_grad():
        embedder.emotion.weight.copy_(torch.from_numpy(stored["emotion.weight.half"]))
        embedder.emotion.bias.copy_(torch.from_numpy(stored["emotion.bias"]))
        got = embedder(torch.from_numpy(audio))[1].numpy()
    session = ort.InferenceSession(str(SHIPPED), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(got, session.run(["emotion"], {"audio": audio})[0], atol=1e-4)


def test_a_file_without_a_log_mel_student_is_refused(tmp_path):
    write_onnx(Embedder(students()[1], (4, 4)), tmp_path / "raw.onnx")
    with pytest.raises(ValueError, match=r"streamer-small\.onnx"):
        read_student(tmp_path / "raw.onnx")


def test_blocks_that_are_added_change_nothing_at_first():
    teacher, student = students()
    start_from(teacher, student)
    features, mask = torch.randn(1, 9, 32), torch.ones(1, 9, 1)
    with torch.no_grad():
        known, own = teacher.context(features, mask), student.context(features, mask)
        torch.testing.assert_close(own[:2], known)
        torch.testing.assert_close(own[2], student.last_norm(known[1]))


def test_other_sizes_are_refused():
    torch.manual_seed(0)
    with pytest.raises(ValueError, match="alike"):
        start_from(Student(StudentShape(channels=16, heads=2, position_groups=4)), students()[1])


def test_the_feature_encoder_learns_and_nothing_else_does(tmp_path):
    speech = write_speech(tmp_path / "speech", 4)
    write_mel(speech, tmp_path / "cache", copies=())
    write_audio(speech, tmp_path / "cache", copies=())
    teacher, student = students()
    start_from(teacher, student)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    recipe = Recipe(batch=4, crop_tokens=16, steps=40, warmup=2)
    lines = list(
        imitate(
            teacher, student, Cache.open(tmp_path / "cache"), recipe, WaveAugmentation(), every=10
        )
    )
    assert [step for step, _ in lines] == [10, 20, 30, 40]
    assert lines[-1][1] < 0.8 * lines[0][1]
    for name, value in student.state_dict().items():
        learned = name.startswith(("convolutions.", "projection"))
        assert torch.equal(value, before[name]) != learned, name
