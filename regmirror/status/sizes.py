"""Numbers of bytes for people."""

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: int) -> str:
    """A number of bytes in decimal units, as registries count them: 1.1 MB."""
    value, units = float(count), iter(_UNITS)
    unit = next(units)
    for larger in units:
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
