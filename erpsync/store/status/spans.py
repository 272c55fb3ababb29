"""Lengths of time as people say them."""


def spell(seconds: float | None) -> str:
    """Return a span as people say it: 42 s, 7 min, 3 h 5 min, 2 d 4 h."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    big, small, names = (
        (whole // 3600, whole % 3600 // 60, "h min")
        if whole < 86_400
        else (
            whole // 86_400,
            whole % 86_400 // 3600,
            "d h",
        )
    )
    one, other = names.split()
    return f"{big} {one} {small} {other}" if small else f"{big} {one}"
