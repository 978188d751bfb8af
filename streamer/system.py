"""What Python and the operating system give: classes by import path, processes, private files.

Import paths are what `--learner` and `--strategy` accept: `package.module:Class`, with settings in
brackets if any, `mine:Cautious(share=0.3)`. Modules of a package may also follow the colon, as in
`river:linear_model.PARegressor`. The current folder is searched last, so that no file in it can
shadow an installed module.

Profiles, exports, logs and models (a tuned one contains speech of its owner) are written as private
folders and files: only their owner can read them, whatever the umask.
"""

import ast
import errno
import inspect
import os
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from streamer.errors import UsageError

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
# The same package as here, whichever is installed; what lies beside it comes last.
_START: Final = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); import streamer; "
    "sys.path.append(sys.path.pop(0)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def is_import_path(name: str) -> bool:
    """Whether the text is an import path, not a built-in name.

    Examples
    --------
    >>> is_import_path("river:linear_model.PARegressor"), is_import_path("bayesian")
    (True, False)
    """
    return ":" in name


def path_of(cls: type) -> str:
    """The import path of a class, also of one defined in a script or notebook.

    Examples
    --------
    >>> from fractions import Fraction
    >>> path_of(Fraction)
    'fractions:Fraction'
    """
    return f"{cls.__module__}:{cls.__qualname__}"


def split_outside_brackets(text: str, mark: str, most: int = -1) -> list[str]:
    """Split a text at the marks outside brackets, at most `most` times.

    Examples
    --------
    >>> split_outside_brackets("random,mine:Cautious(share=0.3,seed=1)", ",")
    ['random', 'mine:Cautious(share=0.3,seed=1)']
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == mark and depth == 0 and most != 0:
            parts.append("")
            most -= 1
        else:
            parts[-1] += letter
    return parts


def load_class(path: str, wanted: str) -> tuple[type, dict[str, Any]]:
    """The class at an import path, and the settings in the path.

    Parameters
    ----------
    path
        `package.module:Class` or `package.module:Class(setting=value)`; values are literals.
    wanted
        What the class should be, for the error: "a learner".

    Raises
    ------
    UsageError
        The path cannot be read, or there is no such class, or its module fails to load.

    Examples
    --------
    >>> load_class("fractions:Fraction(numerator=1)", "a number")
    (<class 'fractions.Fraction'>, {'numerator': 1})
    """
    example = f"give {wanted} as package.module:Class or package.module:Class(setting=1)"
    place, _, rest = path.partition(":")
    try:
        tree = ast.parse(rest.strip(), mode="eval").body
        settings: dict[str, Any] = {}
        if isinstance(tree, ast.Call):
            if tree.args or any(keyword.arg is None for keyword in tree.keywords):
                raise UsageError(f"{path}: name its settings; {example}")
            settings = {str(k.arg): ast.literal_eval(k.value) for k in tree.keywords}
            tree = tree.func
        found = _resolve(place, ast.unparse(tree).split("."))
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # somebody's own module, it may fail in any way
        raise UsageError(f"{path} cannot be loaded ({in_one_line(error)}): {example}") from error
    if not inspect.isclass(found):
        raise UsageError(f"{path} is no class: {example}")
    return found, settings


def make_instance(
    cls: Callable[..., Any], settings: dict[str, Any], path: str, **offered: Any
) -> Any:
    """A new instance. Raises UsageError naming the path where it cannot be made.

    offered: further arguments, passed if the class accepts them and no setting has the name.
    """
    try:
        given = {name: value for name, value in offered.items() if name in _parameters(cls)}
        return cls(**(given | settings))
    except Exception as error:  # as above
        raise UsageError(
            f"{path} cannot be made ({in_one_line(error)}): "
            "give the settings that it needs, as in package.module:Class(setting=1)"
        ) from error


def in_one_line(error: BaseException) -> str:
    """An exception of user code as one line.

    Examples
    --------
    >>> in_one_line(ValueError("no good,\\nreally"))
    'ValueError: no good, really'
    """
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")


def _parameters(cls: Callable[..., Any]) -> Collection[str]:
    try:
        return inspect.signature(cls).parameters
    except ValueError:  # written in C, and tells nothing
        return ()


def _resolve(place: str, names: list[str]) -> Any:
    if "" not in sys.path:
        sys.path.append("")  # the folder in which the program was started
    found: Any = import_module(place)
    for name in names:
        if isinstance(found, ModuleType) and not hasattr(found, name):
            found = import_module(f"{found.__name__}.{name}")
        else:
            found = getattr(found, name)
    return found


def module_command(module: str, *words: str) -> list[str]:
    """The command that runs a module of this package as a child of this process.

    -P: without it Python looks for modules in the current folder first, so that a file named like
    a library's would be executed wherever this program is started.
    """
    root = Path(__file__).resolve().parent.parent
    return [sys.executable, "-P", "-c", _START, str(root), module, *words]


def streamer_command(*words: str) -> list[str]:
    """The command `streamer`, for others to start; it has to be installed for this interpreter.

    Examples
    --------
    >>> streamer_command("run")[1:]
    ['-P', '-m', 'streamer', 'run']
    """
    return [sys.executable, "-P", "-m", "streamer", *words]


def keep_children_safe() -> None:
    """Children that a library starts (multiprocessing, Dask) do not look there either."""
    os.environ["PYTHONSAFEPATH"] = "1"


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, all of them 0700; existing ones stay as they are.

    `Path.mkdir` gives its mode to the last one only, and the umask takes from it. Raises OSError.
    """
    missing = []
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing.append(path)
    for path in reversed(missing):
        with suppress(FileExistsError):  # made by another process meanwhile
            path.mkdir(FOLDER_MODE)
            path.chmod(FOLDER_MODE)
    if not folder.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))


def private_opener(path: str, flags: int) -> int:
    """An opener for `open`: a file that is made is 0600."""
    descriptor = os.open(path, flags, FILE_MODE)
    if flags & os.O_CREAT and hasattr(os, "fchmod"):
        os.fchmod(descriptor, FILE_MODE)
    return descriptor


def make_private_file(path: Path) -> None:
    """Make an empty file, 0600, where there is none, for a library to fill. Raises OSError."""
    with suppress(FileExistsError):
        os.close(private_opener(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def write_private(path: Path, content: bytes) -> None:
    """Write a file, 0600, completely or not at all, to the disk. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb", opener=private_opener) as file:  # of Path, none
            file.write(content)
        commit_private(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def commit_private(part: Path, path: Path) -> None:
    """Give a finished file its place; its content and its name are then on the disk."""
    part.chmod(FILE_MODE)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
