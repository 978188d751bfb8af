"""The command `streamer`, also as `python -m streamer`."""

import io
import os
import signal
import sys
import traceback
from typing import NoReturn

from streamer.errors import StreamerError, UsageError
from streamer.system import keep_children_safe
from streamer.text import printable

# One BLAS thread, set before numpy loads: the matrices are small, and the bits then do not depend
# on the number of cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

INTERRUPTED = 130


def main() -> None:
    """Run a verb; an error is one line and an exit code, and -v adds the traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed by who started us
            stream.reconfigure(errors="backslashreplace")
    # What is in the midst of something tidies up, as at Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_children_safe()
    try:
        # Imported here, so that Ctrl-C is quiet from the first moment on.
        import typer

        from streamer.cli import app

        # Not standalone: typer would spread a usage error over several lines.
        sys.exit(typer.main.get_command(app).main(standalone_mode=False) or 0)
    except StreamerError as error:
        _fail(error, f"streamer: {error}", error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        what = error.filename or "the output"
        message = f"streamer: {what}: {error.strerror}: free some space, or choose another folder"
        _fail(error, message, StreamerError.exit_code)
    except Exception as error:
        if type(error).__name__ == "Abort":  # typer's word for Ctrl-C
            sys.exit(INTERRUPTED)
        explain = getattr(error, "format_message", None)
        if explain is None:
            message = f"unexpected {type(error).__name__}: {error} (-v shows where)"
            _fail(error, f"streamer: {message}", StreamerError.exit_code)
        message = explain()
        if "Usage:" in message:  # it is the help itself, without a word of the user's
            print(message, file=sys.stderr)
            sys.exit(UsageError.exit_code)
        path = getattr(getattr(error, "ctx", None), "command_path", "streamer")
        message = f"streamer: {message} (`{path} --help` explains)"
        _fail(error, message, UsageError.exit_code)


def _fail(error: Exception, message: str, exit_code: int) -> NoReturn:
    if "-v" in sys.argv:
        trace = "".join(traceback.format_exception(error))
        print("\n".join(map(printable, trace.splitlines())), file=sys.stderr)
    print(printable(message), file=sys.stderr)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
