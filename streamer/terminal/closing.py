"""What is said when listening ends: what waits for a person, and what to do next."""

from streamer.text import many, printable


def next_steps(open_queries: int, profile: str) -> str:
    """One or two sentences.

    Parameters
    ----------
    open_queries
        Questions that wait in the profile.
    profile
        The profile as it was named on the command line.

    Examples
    --------
    >>> print(next_steps(1, "default"))
    1 question waits: answer it with `streamer label` (`--web`: in the browser).
    `streamer run` listens again.
    >>> print(next_steps(0, "ann"))
    Nothing waits for an answer. `streamer run --profile ann` listens again.
    """
    flag = "" if profile == "default" else f" --profile {printable(profile)}"
    again = f"`streamer run{flag}` listens again."
    if not open_queries:
        return f"Nothing waits for an answer. {again}"
    waits, them = ("waits", "it") if open_queries == 1 else ("wait", "them")
    return (
        f"{many(open_queries, 'question')} {waits}: answer {them} with `streamer label{flag}` "
        f"(`--web`: in the browser).\n{again}"
    )
