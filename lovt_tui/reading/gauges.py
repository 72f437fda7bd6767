"""How busy the machine is: each GPU through NVML, else processor and memory."""

from typing import TYPE_CHECKING, Any

from lovt_tui.reading.snapshot import Gauge

if TYPE_CHECKING:
    from collections.abc import Callable


class Gauges:
    """Reads the gauges; NVML is opened at the first look and used by one thread."""

    def __init__(self) -> None:
        self._handles: list[Any] | None = None

    def __call__(self) -> tuple[Gauge, ...]:
        """One gauge a GPU, or one for the host."""
        if self._handles is None:
            self._handles = _open_gpus()
        gpus = tuple(_read_gpu(index, handle) for index, handle in enumerate(self._handles))
        return gpus or (_read_host(),)


def _open_gpus() -> list[Any]:
    import pynvml

    try:
        pynvml.nvmlInit()
        return [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []


def _read_gpu(index: int, handle: Any) -> Gauge:
    import pynvml

    def ask(question: "Callable[[Any], Any]") -> Any:
        try:
            return question(handle)
        except pynvml.NVMLError:
            return None

    rates = ask(pynvml.nvmlDeviceGetUtilizationRates)
    memory = ask(pynvml.nvmlDeviceGetMemoryInfo)
    power = ask(pynvml.nvmlDeviceGetPowerUsage)
    return Gauge(
        name=f"GPU{index}",
        load_percent=None if rates is None else int(rates.gpu),
        memory_used=0 if memory is None else int(memory.used),
        memory_total=0 if memory is None else int(memory.total),
        power_watts=None if power is None else round(power / 1000),
    )


def _read_host() -> Gauge:
    import psutil

    memory = psutil.virtual_memory()
    return Gauge("CPU", round(psutil.cpu_percent()), int(memory.total - memory.available), int(memory.total))
