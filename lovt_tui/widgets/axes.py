"""Ticks at round numbers, linear and logarithmic."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lovt_tui.formatting import format_count, format_duration

ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


@dataclass(frozen=True)
class Tick:
    """A value and its label."""

    value: float
    label: str


def linear_ticks(low: float, high: float, max_count: int) -> tuple[Tick, ...]:
    """Round numbers within the limits, labelled with just the decimals they need."""
    step = _round_step(low, high, max_count)
    if step == 0:
        return ()
    return tuple(Tick(value, _label(value, step)) for value in _multiples(low, high, step))


def log_ticks(low: float, high: float, max_count: int) -> tuple[Tick, ...]:
    """Powers of ten within positive limits; round numbers between where a power or two is all there is."""
    powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    if len(powers) < 2:
        factors = (1, 2, 5) if len(powers) else (1, 2, 3, 4, 5, 6, 7, 8, 9)
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
        values = [value for value in values if low <= value <= high]
        if len(values) < 2:
            return linear_ticks(low, high, max_count)
    else:
        values = [10.0**power for power in powers]
    stride = math.ceil(len(values) / max(1, max_count))
    return tuple(Tick(value, _short_number(value)) for value in values[::stride])


def count_ticks(low: float, high: float, max_count: int) -> tuple[Tick, ...]:
    """Steps or epochs: whole numbers, thousands as `k`."""
    step = max(1.0, _round_step(low, high, max_count))
    step = math.ceil(step)
    return tuple(Tick(value, format_count(value)) for value in _multiples(low, high, step))


def time_ticks(low: float, high: float, max_count: int) -> tuple[Tick, ...]:
    """Seconds since the start, at round minutes and hours."""
    span = (high - low) / max(1, max_count)
    step = next((size for size in TIME_STEPS if size >= span), None)
    step = step if step is not None else math.ceil(span / 86_400) * 86_400
    return tuple(Tick(value, _short_time(value)) for value in _multiples(low, high, step))


TickRule = Callable[[float, float, int], tuple[Tick, ...]]


def _short_time(seconds: float) -> str:
    text = format_duration(seconds)
    return text.removesuffix("00s").removesuffix("00m") if len(text) > 3 else text


def _round_step(low: float, high: float, max_count: int) -> float:
    span = high - low
    if span <= 0 or max_count < 1 or not math.isfinite(span):
        return 0.0
    raw = span / max_count
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in ROUND_STEPS if factor * power >= raw * (1 - 1e-9))


def _multiples(low: float, high: float, step: float) -> Sequence[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _short_number(value: float) -> str:
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e")


def _label(value: float, step: float) -> str:
    size = max(abs(value), step)
    if size >= 1e6 or step < 1e-4:
        return _short_number(value)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if round(step, decimals) != round(step, decimals + 2):
        decimals += 1
    return f"{value:.{decimals}f}"
