"""The licences of all that `pip install streamer` brings, as a Markdown table.

    python scripts/licences.py > THIRD_PARTY.md        # in an environment with nothing else in it

Exits with 1 where a package tells no licence, or one that asks more of a program than its name to
be kept: somebody should look before that is released.
"""

import re
import sys
from importlib.metadata import Distribution, distribution
from typing import Final

ROOT: Final = "streamer"
# Words of licences under which all of this may be shipped side by side, as it is.
PERMISSIVE: Final = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|0BSD|Unlicense|HPND|"
    r"LGPL|Lesser General Public|MPL|Mozilla Public)\b",
    re.IGNORECASE,
)
WORDING: Final = {
    "Permission is hereby granted, free of charge, to any person": "MIT",
    "Apache License Version 2.0": "Apache-2.0",
    "Redistribution and use in source and binary forms": "BSD",
}
HEAD: Final = """\
# Third-party packages

Written by `scripts/licences.py`: all packages that `pip install streamer` installs on
{system}. Each keeps its own licence; none is changed or copied into this project.
The shipped encoder and its training data are described in [models/README.md](models/README.md).

| package | version | licence | home |
|---|---|---|---|"""


def main() -> None:
    rows = [(found.metadata["Name"], found) for found in closure(ROOT)]
    system = f"{sys.platform}, Python {sys.version_info.major}.{sys.version_info.minor}"
    print(HEAD.format(system=system))
    doubtful = []
    for name, found in sorted(rows, key=lambda row: row[0].lower()):
        said = licence(found)
        print(f"| {name} | {found.version} | {said} | {home(found)} |")
        if not PERMISSIVE.search(said):
            doubtful.append(f"{name}: {said}")
    if doubtful:
        sys.exit("look at these: " + "; ".join(doubtful))


def closure(root: str) -> list[Distribution]:
    """What `root` needs, and what that needs, extras aside; as far as it is installed here."""
    found: dict[str, Distribution] = {}
    waiting = needs(distribution(root))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except ModuleNotFoundError:  # of another system, or another Python
            continue
        waiting += needs(found[name])
    return list(found.values())


def needs(package: Distribution) -> list[str]:
    return [
        re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()
        for requirement in package.requires or ()
        if "extra ==" not in requirement
    ]


def licence(package: Distribution) -> str:
    """As the package states it: by expression, by classifier, in words, or by its file's text."""
    told = package.metadata
    if told.get("License-Expression"):
        return told["License-Expression"]
    classes = [
        line.rsplit("::", 1)[1].strip()
        for line in told.get_all("Classifier") or ()
        if line.startswith("License ::") and line.count("::") > 1
    ]
    words = (told.get("License") or "").strip().splitlines()
    return ", ".join(classes) or (words[0] if words else by_text(package))


def by_text(package: Distribution) -> str:
    """What the words of the licence's file are those of, for a package that states nothing."""
    for name in package.metadata.get_all("License-File") or ():
        text = package.read_text(f"licenses/{name}") or package.read_text(name) or ""
        for words, called in WORDING.items():
            if words in " ".join(text.split()):
                return f"{called} (by its text)"
    return "not stated"


def home(package: Distribution) -> str:
    told = package.metadata
    links = dict(
        (part.strip() for part in line.split(",", 1)) for line in told.get_all("Project-URL") or ()
    )
    for wanted in ("homepage", "source", "repository", "source code", "github"):
        for name, link in links.items():
            if name.lower() == wanted:
                return link
    return told.get("Home-page") or next(iter(links.values()), "")


if __name__ == "__main__":
    main()
