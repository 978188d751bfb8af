"""The joint network and its losses: sizes, equations by hand, and that both corpora are learned."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
from torch.nn import functional  # noqa: E402

from streamer.training.joint.images import (  # noqa: E402
    WINDOW_S,
    deltas,
    face_images,
    speech_images,
)
from streamer.training.joint.learning import (  # noqa: E402
    ImageCorpus,
    JointWeights,
    Stage,
    accuracy,
    classify,
    contrastive_loss,
    draw,
    joint_loss,
    run_stages,
)
from streamer.training.joint.network import JointNetwork  # noqa: E402
from tests.training.synthetic_clips import voice  # noqa: E402


def count(network: JointNetwork) -> int:
    return sum(p.numel() for p in network.parameters())


def test_sizes_are_those_of_the_paper():
    assert count(JointNetwork()) == 5_817_702
    assert count(JointNetwork((6, 6))) - count(JointNetwork()) == 198
    network = JointNetwork((6, 6)).eval()
    images = torch.randn(2, 3, 64, 64)
    assert network(images).shape == (2, 32)
    assert network.logits(network(images), 1).shape == (2, 6)
    np.testing.assert_allclose(network.chances(images).detach().sum(1), 1.0, atol=1e-6)


@torch.no_grad()
def test_group_normalization_does_not_look_at_the_batch_and_its_twin_does():
    torch.manual_seed(0)
    images = torch.randn(6, 3, 64, 64)
    for normalization, alike in (("group", True), ("batch", False)):
        network = JointNetwork(normalization=normalization)
        network.train()
        for module in network.modules():
            if isinstance(module, torch.nn.Dropout):
                module.eval()
        alone, together = network(images[:2]), network(images)[:2]
        assert (float((alone - together).abs().max()) < 1e-5) == alike


def test_a_window_is_an_image_of_655_ms():
    assert pytest.approx(0.655, abs=1e-9) == WINDOW_S
    images = speech_images(voice(2.0))
    assert images.shape[1:] == (64, 64, 3)
    assert images.dtype == np.float32
    # 198 frames, a window every 34.
    assert len(images) == 1 + (198 - 64) // 34
    np.testing.assert_array_equal(images[0, :, 34:], images[1, :, :30])
    assert speech_images(voice(0.2)).shape == (1, 64, 64, 3)
    assert np.isfinite(speech_images(np.zeros(8_000, np.float32))).all()


def test_deltas_of_a_ramp_are_its_slope():
    ramp = np.arange(20.0)[None] * 0.5
    np.testing.assert_allclose(deltas(ramp)[0, 2:-2], 0.5)
    np.testing.assert_allclose(deltas(deltas(ramp))[0, 4:-4], 0.0, atol=1e-12)


def test_faces_fill_three_channels():
    rng = np.random.default_rng(0)
    images = face_images(rng.integers(0, 256, (3, 48, 48), dtype=np.uint8))
    assert images.shape == (3, 64, 64, 3)
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    np.testing.assert_allclose(images.mean(axis=(1, 2)), 0.0, atol=1e-4)
    flat = face_images(np.full((1, 64, 64), 9, np.uint8))
    np.testing.assert_array_equal(flat, 0.0)


def test_equation_two_by_hand():
    f_i, f_j = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.6, 0.0], [0.0, 1.5]])
    same = torch.tensor([[True, False]])
    assert float(contrastive_loss(f_i, f_j, same)) == pytest.approx(0.5 * (0.36 + 0.0) / 2)
    other = torch.tensor([[False, False]])
    assert float(contrastive_loss(f_i, f_j, other)) == pytest.approx(0.5 * (0.16 + 0.0) / 2)


def test_beyond_the_margin_other_emotions_have_no_gradient():
    f_i = torch.tensor([[0.0, 0.0]], requires_grad=True)
    for distance, moves in ((0.99, True), (1.01, False)):
        f_i.grad = None
        other = torch.tensor([[distance, 0.0]])
        contrastive_loss(f_i, other, torch.tensor([[False]])).backward()
        assert (float(f_i.grad.abs().sum()) > 0.0) == moves
    f_i.grad = None
    contrastive_loss(f_i, torch.zeros(1, 2), torch.tensor([[True]])).backward()
    assert torch.isfinite(f_i.grad).all()


def test_equation_three_is_both_heads_on_both_corpora():
    torch.manual_seed(0)
    network = JointNetwork((6, 6)).eval()
    one = torch.randn(2, 3, 64, 64), torch.tensor([0, 3])
    two = torch.randn(2, 3, 64, 64), torch.tensor([3, 1])
    f_i, f_j = network(one[0]), network(two[0])
    expected = 0.0
    for head in (0, 1):
        for f, emotions in ((f_i, one[1]), (f_j, two[1])):
            expected = expected + functional.cross_entropy(network.logits(f, head), emotions)
    pairs = []
    for a, k in zip(f_i, one[1], strict=True):
        for b, other in zip(f_j, two[1], strict=True):
            distance = (a - b).norm()
            away = torch.clamp(1.0 - distance, min=0.0)
            pairs.append(0.5 * (distance**2 if k == other else away**2))
    expected = expected + 0.01 * torch.stack(pairs).mean()
    found = joint_loss(network, one, two, JointWeights())
    assert float(found.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)


def test_without_contrast_and_one_corpus_twice_it_is_plain_cross_entropy():
    torch.manual_seed(0)
    network = JointNetwork((6, 6)).eval()
    batch = torch.randn(3, 3, 64, 64), torch.tensor([0, 3, 5])
    plain = sum(
        functional.cross_entropy(network.logits(network(batch[0]), head), batch[1])
        for head in (0, 1)
    )
    found = joint_loss(network, batch, batch, JointWeights(contrast=0.0))
    assert float(found.detach()) == pytest.approx(2.0 * float(plain.detach()), abs=1e-5)


def made(seed: int, brightness: float, kinds: int = 3, each: int = 5) -> ImageCorpus:
    """A bar in one of the image's thirds tells the emotion; each corpus has its own look."""
    rng = np.random.default_rng(seed)
    emotions = np.arange(kinds * each) % kinds
    images = 0.3 * rng.standard_normal((len(emotions), 64, 64, 3)).astype(np.float32)
    for image, emotion in zip(images, emotions, strict=True):
        image[20 * emotion + 4 : 20 * emotion + 16] += brightness
    return ImageCorpus(images, emotions, np.arange(len(emotions)))


def test_batches_have_every_emotion_and_no_others():
    corpus = made(0, 2.0)
    images, emotions = draw(corpus, 60, np.random.default_rng(0))
    assert images.shape == (60, 3, 64, 64)
    assert set(emotions.tolist()) == {0, 1, 2}


def test_stages_go_on_from_each_other_and_end_in_two_heads(tmp_path):
    torch.manual_seed(0)
    one, two = made(0, 2.0), made(1, -2.0)
    stages = [
        Stage("rich", [one], "all", 16, 3e-3, batch=6),
        Stage("poor", [two], "head", 1, 1e-3),
        Stage("joint", [one, two], "joint", 24, 3e-3, batch=4),
    ]
    told = []
    network = run_stages(
        JointNetwork((3,)), stages, np.random.default_rng(0), tmp_path,
        lambda name, loss: told.append(name),
    )  # fmt: skip
    assert told == ["rich", "poor", "joint"]
    assert len(network.heads) == 2
    assert min(accuracy(network, one), accuracy(network, two)) > 0.6
    again = run_stages(
        JointNetwork((3,)), stages, np.random.default_rng(9), tmp_path,
        lambda name, loss: told.append("again"),
    )  # fmt: skip
    assert told == ["rich", "poor", "joint"]
    assert classify(again, one) == classify(network, one)


def test_a_head_stage_leaves_the_convolutions():
    network = JointNetwork((3,))
    before = [p.detach().clone() for p in network.convolutions.parameters()]
    run_stages(network, [Stage("x", [made(0, 2.0)], "head", 2, 1e-2)], np.random.default_rng(0))
    assert all(
        torch.equal(a, b) for a, b in zip(network.convolutions.parameters(), before, strict=True)
    )


def test_a_clip_s_answer_is_the_mean_of_its_windows():
    torch.manual_seed(0)
    network = JointNetwork((3,)).eval()
    images = made(0, 2.0).images[:4]
    clip = ImageCorpus(images, np.zeros(4, np.intp), np.zeros(4, np.intp))
    with torch.no_grad():
        chances = network.chances(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    assert classify(network, clip) == {0: int(chances.mean(axis=0).argmax())}
