"""Classes by import path: where they are looked for, and what is said when there is none."""

import subprocess
import sys

import pytest

from streamer.errors import UsageError
from streamer.system import load_class, make_instance, split_outside_brackets


def test_a_module_beside_the_program_is_found_wherever_it_was_started(tmp_path):
    (tmp_path / "mine.py").write_text("class Cautious:\n    share = 0.3\n")
    code = "from streamer.system import load_class; print(load_class('mine:Cautious', 'x'))"
    # As a console script, which does not have the working folder on its path.
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "mine.Cautious" in done.stdout


@pytest.mark.parametrize(
    "source",
    [
        "1 / 0",
        "import nothing_of_that_name",
        "def broken(:",
        "raise SystemError('no\\nway')",
        "raise SystemExit",
    ],
)
def test_a_module_that_fails_to_load_is_one_line_with_its_reason(tmp_path, monkeypatch, source):
    (tmp_path / "failing.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "failing", raising=False)
    with pytest.raises(UsageError, match=r"failing:X cannot be loaded \(") as refused:
        load_class("failing:X", "a learner")
    assert refused.value.__cause__ is not None
    assert "\n" not in str(refused.value)


def test_no_file_beside_the_program_stands_in_for_an_installed_module(tmp_path):
    (tmp_path / "fractions.py").write_text("class Fraction:\n    pass\n")
    code = "import streamer.system as p; print(p.load_class('fractions:Fraction', 'x')[0]())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"


def test_settings_are_literals_and_offers_give_way_to_them():
    cls, settings = load_class("fractions:Fraction(numerator=3)", "a number")
    assert make_instance(cls, settings, "path", numerator=9, denominator=4, seed=1) == cls(3, 4)
    with pytest.raises(UsageError, match=r"cannot be made .*ZeroDivisionError"):
        make_instance(cls, settings, "fractions:Fraction", denominator=0)


def test_cuts_fall_outside_brackets_only():
    assert split_outside_brackets("a+b(c='+')+d", "+", most=1) == ["a", "b(c='+')+d"]
    assert split_outside_brackets("", ",") == [""]
