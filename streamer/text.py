"""Text helpers: counts with their noun."""


def many(count: int, thing: str) -> str:
    """
    >>> many(1, "label"), many(0, "label"), many(1_200, "oldest clip")
    ('1 label', '0 labels', '1,200 oldest clips')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
