"""The command line of a process of this program's own, started from this one or by systemd."""

import sys


def module_command(module: str, *words: str) -> list[str]:
    """The command that runs a module with this interpreter.

    -P: without it Python looks for modules in the current folder first, so that a file named like
    a library's would be executed wherever this program is started.

    Examples
    --------
    >>> module_command("streamer", "run")[1:]
    ['-P', '-m', 'streamer', 'run']
    """
    return [sys.executable, "-P", "-m", module, *words]
