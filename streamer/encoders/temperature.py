"""The temperature of this machine."""

from typing import Final

# A broken sensor reports values outside.
_PLAUSIBLE_C: Final = (-40.0, 150.0)


def temperature_c() -> float | None:
    """The hottest sensor in degrees Celsius; None where the system reports none."""
    import psutil

    if not hasattr(psutil, "sensors_temperatures"):  # Windows, macOS
        return None
    low_c, high_c = _PLAUSIBLE_C
    found = [
        sensor.current
        for sensors in psutil.sensors_temperatures().values()
        for sensor in sensors
        if low_c < sensor.current < high_c
    ]
    return max(found, default=None)
