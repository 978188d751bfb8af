"""What has no place in the code, whatever it is for: what runs, or may run, what it reads."""

import ast
from pathlib import Path

import pytest

import streamer

FILES = sorted(Path(streamer.__file__).parent.rglob("*.py"))
# They run what they read, or may be made to.
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "yaml",
    "ruamel",
}
BUILT_IN = {"eval", "exec", "compile", "__import__"}
METHODS = {
    ("os", "system"), ("os", "popen"), ("torch", "load"), ("np", "load"), ("numpy", "load"),
    ("tempfile", "mktemp"),
}  # fmt: skip
# Of archives: they write where a stranger's names say.
UNPACKING = {"extract", "extractall", "unpack_archive"}


def offences(source: str) -> list[str]:
    """What a file does that it must not, each with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        found += [f"{node.lineno}: imports {n}" for n in names if n.split(".")[0] in MODULES]
        if isinstance(node, ast.Call):
            found += _offences_of_call(node)
    return found


def _offences_of_call(node: ast.Call) -> list[str]:
    given = {word.arg: word.value for word in node.keywords}
    if "shell" in given:
        return [f"{node.lineno}: shell="]
    pickles = given.get("allow_pickle")
    if pickles is not None and not (isinstance(pickles, ast.Constant) and pickles.value is False):
        return [f"{node.lineno}: allow_pickle"]
    match node.func:
        case ast.Name(id=name) if name in BUILT_IN:
            return [f"{node.lineno}: {name}()"]
        case ast.Attribute(attr=name) if name in UNPACKING:
            return [f"{node.lineno}: .{name}()"]
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if (owner, name) in METHODS:
            safe = pickles is not None if name == "load" and owner != "torch" else (
                owner == "torch" and "weights_only" in given
            )  # fmt: skip
            return [] if safe else [f"{node.lineno}: {owner}.{name}()"]
    return []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FILES[0].parent)))
def test_nothing_that_is_read_is_run(path: Path) -> None:
    assert not offences(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from yaml import safe_load", "def f():\n    eval('1')", "exec(x)",
        "import subprocess; subprocess.run('ls', shell=True)", "os.system('ls')",
        "np.load(f)", "np.load(f, allow_pickle=True)", "np.load(f, allow_pickle=x)",
        "torch.load(f)", "np.savez(f, allow_pickle=True)", "tempfile.mktemp()",
        "tar.extractall()", "archive().extract(m)", "shutil.unpack_archive(f)",
    ],
)  # fmt: skip
def test_it_would_be_noticed(source: str) -> None:
    assert offences(source)


@pytest.mark.parametrize(
    "source",
    ["np.load(f, allow_pickle=False)", "re.compile('a')", "a.exec()", "tar.extractfile(m)"],
)
def test_what_is_safe_is_left_alone(source: str) -> None:
    assert not offences(source)
