"""The command `streamer`, also as `python -m streamer`."""

import os
import sys
import traceback
from typing import NoReturn

import typer

from streamer.cli import app
from streamer.errors import StreamerError, UsageError


# One BLAS thread, set before numpy loads: the matrices are small, and the bits then do not depend
# on the number of cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> None:
    """Run a verb; an error is one line and an exit code, and -v adds the traceback."""
    try:
        # Not standalone: typer would spread a usage error over several lines.
        sys.exit(typer.main.get_command(app).main(standalone_mode=False) or 0)
    except StreamerError as error:
        _fail(error, str(error), error.exit_code)
    except typer.Abort:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing more, also not at exit.
        sys.stdout = None
        sys.exit(0)
    except Exception as error:
        explain = getattr(error, "format_message", None)
        if explain is None:
            message = f"unexpected {type(error).__name__}: {error} (-v shows where)"
            _fail(error, message, StreamerError.exit_code)
        _fail(error, f"{explain()} (`streamer --help` explains)", UsageError.exit_code)


def _fail(error: Exception, message: str, exit_code: int) -> NoReturn:
    if "-v" in sys.argv:
        traceback.print_exception(error)
    print(f"streamer: {message}", file=sys.stderr)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
