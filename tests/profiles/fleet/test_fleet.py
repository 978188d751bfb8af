"""Devices' exports become a prior, whole ones and statistics alike; nothing but sums leaves."""

import hashlib
import json
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from streamer.__main__ import main
from streamer.config import Config
from streamer.encoders.manifest import write_row
from streamer.encoders.open import open_encoder
from streamer.encoders.prior_file import read_prior, write_prior
from streamer.encoders.registry import find_encoder, load_prior
from streamer.errors import OtherEncoder, ProfileDamaged, UsageError
from streamer.learners.fleet.statistics import VoiceStatistics
from streamer.profiles.archive.writing import export_profile
from streamer.profiles.fleet.noise import _opendp, budget, private_statistics
from streamer.profiles.fleet.prior import make_fleet_prior
from streamer.profiles.fleet.statistics_file import Origin, read_statistics, write_statistics
from streamer.profiles.fleet.voice_data import data_of_export, data_of_profile
from streamer.store.profile import Profile
from tests.fleets import made_voice
from tests.support import label_of, made_voices, store_utterance

DEVICES = 6
COUNT, LABELS = 24, 16


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """An encoder of which only the files matter here, with a prior that says something."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "made.onnx").write_bytes(b"weights")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    prior = made_voices(np.random.default_rng(0), emotions=3)
    digest = write_prior(folder / "made.prior.npz", prior, sha256)
    write_row(
        folder / "manifest.toml",
        {"name": "made", "file": "made.onnx", "sha256": sha256, "licence": "MIT",
         "embedding_size": 6, "emotion_size": 4, "prior": "made.prior.npz",
         "prior_sha256": digest},
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def row(models):
    return find_encoder("made", models)


@pytest.fixture(scope="module")
def prior(row):
    return load_prior(row)


@pytest.fixture(scope="module")
def fleet(row, prior, tmp_path_factory):
    """Profiles of some devices, their whole exports, and their statistics."""
    folder = tmp_path_factory.mktemp("fleet")
    correction = np.random.default_rng(1).normal(size=(7, 3)) * 0.25
    origin = Origin.of(row.name, row.sha256, prior)
    for k in range(DEVICES):
        data = made_voice(k, prior, correction, COUNT, LABELS)
        profile = Profile(folder / f"profile-{k}")
        profile.bind(row.name, row.sha256, prior)
        for i in range(COUNT):
            number = store_utterance(
                profile, data.embeddings[i].astype(np.float32),
                data.emotion_vectors[i].astype(np.float32),
            )  # fmt: skip
            if i < LABELS:
                valence, arousal, _ = data.affect[i]
                answers = {"valence": valence, "arousal": arousal, "emotion": data.emotions[i]}
                # The first answer is replaced by the same person's second.
                profile.labels.add([label_of(number, valence=0.0, arousal=0.0)], 1.0)
                profile.labels.add([label_of(number, **answers)], 2.0)
        export_profile(profile, folder / f"export-{k}", {})
        found = VoiceStatistics.of(data_of_profile(profile, prior), prior)
        write_statistics(folder / f"sums-{k}.npz", found, origin)
        profile.close()
    return folder


def exports(fleet, kind):
    ending = ".npz" if kind == "sums" else ""
    return [fleet / f"{kind}-{k}{ending}" for k in range(DEVICES)]


def test_statistics_give_the_prior_that_whole_exports_give(fleet, row, tmp_path):
    whole, first = make_fleet_prior(exports(fleet, "export"), row, tmp_path / "whole")
    sums, second = make_fleet_prior(exports(fleet, "sums"), row, tmp_path / "sums")
    assert first.kept == second.kept == [True] * DEVICES
    for name, array in first.prior.to_arrays().items():
        other = second.prior.to_arrays()[name]
        if array.dtype.kind == "f":
            np.testing.assert_allclose(other, array, rtol=0, atol=1e-9)
    assert whole.read_bytes() == sums.read_bytes()
    again, _ = make_fleet_prior(exports(fleet, "sums")[::-1], row, tmp_path / "reversed")
    sizes = (6, 4)
    one, other = (read_prior(p, "made", row.sha256, sizes).to_arrays() for p in (sums, again))
    for name, array in one.items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(other[name], array, atol=1e-6)  # float32 in the file
    report = json.loads((tmp_path / "sums" / "fleet.json").read_text())
    assert report["devices"][0]["labels"] == {"valence": 16.0, "arousal": 16.0, "dominance": 0.0}
    assert (
        report["dimensions"]["valence"]["rmse_left_out"]
        < (report["dimensions"]["valence"]["rmse_left_out_before"])
    )


def test_only_sums_and_counts_leave(fleet, prior):
    with np.load(fleet / "sums-0.npz") as file:
        names = set(file.files)
        text = [str(file[name]) for name in names if file[name].dtype.kind == "U"]
    fields = set(VoiceStatistics.__slots__)
    assert names == {"format", "encoder", "encoder_sha256", "prior_sha256", "epsilon"} | fields
    assert not any("Berta" in one or one == "me" for one in text)
    raw = b"".join(zipfile.ZipFile(fleet / "sums-0.npz").read(n + ".npy") for n in names)
    assert b"made.wav" not in raw
    assert "Berta".encode("utf-32-le") not in raw
    data = data_of_export(fleet / "export-0", "made", find_sha(fleet), prior)
    assert not any(row.astype("<f8").tobytes() in raw for row in data.embeddings)


def find_sha(fleet):
    return json.loads((fleet / "export-0" / "manifest.json").read_text())["encoder_sha256"]


def test_what_is_of_another_encoder_or_prior_is_refused(fleet, row, prior, tmp_path):
    other = replace(row, sha256="cd" * 32, name="other", prior=None)
    for path in (fleet / "export-0", fleet / "sums-0.npz"):
        with pytest.raises(OtherEncoder, match="of the encoder 'made'"):
            make_fleet_prior([path], other, tmp_path)
    changed = replace(prior, intercept=prior.intercept + 0.1)
    with pytest.raises(OtherEncoder, match="in relation to another prior"):
        read_statistics(fleet / "sums-0.npz", Origin.of("made", row.sha256, changed), changed)


def test_what_holds_no_statistics_is_refused(fleet, row, prior, tmp_path):
    origin = Origin.of(row.name, row.sha256, prior)
    bad = tmp_path / "bad.npz"
    bad.write_bytes((fleet / "sums-0.npz").read_bytes()[:1000])
    with pytest.raises(ProfileDamaged, match=r"bad\.npz: .*export --statistics"):
        read_statistics(bad, origin, prior)
    found = read_statistics(fleet / "sums-0.npz", origin, prior)
    for name, array in (("targets", found.targets * np.nan), ("labels", np.zeros(2))):
        bad.unlink()
        write_statistics(bad, replace(found, **{name: array}), origin)
        with pytest.raises(ProfileDamaged, match=name):
            read_statistics(bad, origin, prior)
    with pytest.raises(UsageError, match="exists already"):
        write_statistics(bad, found, origin)
    with pytest.raises(UsageError, match="is named twice"):
        make_fleet_prior([fleet / "export-0", fleet / "." / "export-0"], row, tmp_path)
    with pytest.raises(UsageError, match="'acoustic' is built in"):
        make_fleet_prior([fleet / "export-0"], find_encoder("acoustic"), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProfileDamaged, match="SHA256SUMS"):
        make_fleet_prior([tmp_path / "empty"], row, tmp_path)


def test_noise_is_opendp_s_and_as_large_as_epsilon_says(fleet, row, prior):
    pytest.importorskip("opendp", reason="opendp (extra privacy) is not installed")
    for epsilon in (0.5, 5.0):
        rho = budget(epsilon)
        noise = _opendp()(np.zeros(200), 2.0, rho)
        assert 0.8 < noise.std() / (2.0 / np.sqrt(2.0 * rho)) < 1.25
    data = data_of_export(fleet / "export-0", row.name, row.sha256, prior)
    noisy = private_statistics(data, prior, 1.0)
    assert noisy.fault(prior) is None
    assert noisy.utterances[0] != COUNT
    assert (noisy.inputs[:, :-1, :-1] == 0.0).all()
    with pytest.raises(UsageError, match="--epsilon 0"):
        private_statistics(data, prior, 0.0)


def test_one_utterance_changes_a_private_release_by_its_sensitivity(fleet, row, prior):
    """Neighbours: with and without one utterance, its answers and its emotion."""
    whole = data_of_export(fleet / "export-1", row.name, row.sha256, prior)
    for left_out in range(8):
        kept = np.arange(COUNT) != left_out
        less = replace(
            whole, embeddings=whole.embeddings[kept], affect=whole.affect[kept],
            emotion_vectors=whole.emotion_vectors[kept],
            emotions=[e for e, keep in zip(whole.emotions, kept, strict=True) if keep],
        )  # fmt: skip
        expected, _ = releases_of(whole, prior)
        for values, one, sensitivity in releases_of(less, prior, expected)[1]:
            assert 0.0 < np.linalg.norm(values - one) <= sensitivity + 1e-9


def releases_of(data, prior, noisy=None):
    """What is released before noise; `noisy`: what came out, the same for all neighbours."""
    before, compared = [], []

    def release(values, sensitivity, rho):
        result = values if noisy is None else noisy[len(before)]
        before.append(values)
        compared.append((values, result, sensitivity))
        return result

    private_statistics(data, prior, 1.0, release)
    return before, compared


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["streamer", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_the_verbs_from_a_profile_to_a_new_device(fleet, models, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("STREAMER_MODELS", str(models))
    monkeypatch.chdir(tmp_path)
    statistics = ["export", "--statistics", "--profile", fleet / "profile-5"]
    assert run(monkeypatch, *statistics, "d5.npz") == 0
    assert "sums over 24 utterances written to d5.npz: without noise" in capsys.readouterr().err
    assert run(monkeypatch, *statistics, "d5-folder") == 2
    assert run(monkeypatch, "export", "x", "--epsilon", "1", "--profile", fleet / "profile-5") == 2
    assert "give --statistics too" in capsys.readouterr().err
    sums = [*exports(fleet, "sums")[:-1], "d5.npz"]
    assert run(monkeypatch, "fleet", "prior", *sums, "--out", "next", "--encoder", "made") == 0
    told = capsys.readouterr().err
    assert "valence: error on devices left out" in told
    assert "6 devices: next/made.prior.npz" in told
    assert run(monkeypatch, "models", "add", "--prior", "next/made.prior.npz", "--name", "m2") == 0
    assert "m2: new profiles start from next/made.prior.npz" in capsys.readouterr().err
    added = find_encoder("m2", models)
    installed = load_prior(added)
    assert added.sha256 == find_encoder("made", models).sha256
    assert (installed.weights != 0.0).any()
    (tmp_path / "own.npz").write_bytes((tmp_path / "next" / "made.prior.npz").read_bytes())
    assert run(monkeypatch, "models", "add", "--prior", "d5.npz") == 4
    assert "is not the prior of an encoder" not in capsys.readouterr().out
    assert run(monkeypatch, "models", "add") == 2


def test_the_shipped_encoder_takes_a_fleet_s_prior(tmp_path):
    """Its own prior, as a fleet without answers would give it: predictions stay the same."""
    from streamer.encoders.import_prior import add_prior

    config = Config(models=tmp_path / "models", home=tmp_path)
    shipped = find_encoder("", config.models)
    write_prior(tmp_path / "same.npz", load_prior(shipped), shipped.sha256)
    added = add_prior(tmp_path / "same.npz", config.models)
    assert added == find_encoder("", config.models)
    assert added.folder == config.models
    audio = np.random.default_rng(0).normal(size=16_000).astype(np.float32) * 0.1
    for one, other in zip(
        open_encoder(added).encode(audio), open_encoder(shipped).encode(audio), strict=True
    ):
        np.testing.assert_array_equal(one, other)
