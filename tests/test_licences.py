"""Every package that an installation brings is listed, under a licence that lets it be shipped."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "licences.py"


def names(requirements: list[str]) -> set[str]:
    return {
        re.split(r"[^\w.-]", needed)[0].lower() for needed in requirements if "extra" not in needed
    }


def listed(table: str) -> set[str]:
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")]
    return {name.lower().replace("_", "-") for name in rows}


def test_all_that_is_installed_tells_its_licence_and_may_be_shipped():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert names(requires("streamer") or []) <= listed(done.stdout)
    assert not {"pytest", "torch", "paho-mqtt"} & listed(done.stdout)  # of extras


def test_the_kept_list_names_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert names(project["dependencies"]) <= listed((ROOT / "THIRD_PARTY.md").read_text("utf-8"))
