"""Applies the settings that change while the platform runs to the gateway of this process."""

import asyncio
from contextlib import suppress

from common.access_policy import TrafficClass
from common.configuration.definitions import (
    BREAKER_FAILURE_SHARE,
    BREAKER_OPEN_S,
    BREAKER_TRIALS,
    BREAKER_WINDOW,
    RATE_LIMITS,
)
from common.configuration.values import SettingValues
from common.settings import Settings
from schemas.configuration.watcher import ConfigurationWatcher
from serving.gateway.rate_limits import LIMITS
from serving.kit.circuit_breaker import BreakerSettings, configure_breakers

APPLY_EVERY_S = 1.0


class LiveSettings:
    """The values of this process. A change is in effect about a second after it was made."""

    def __init__(self, settings: Settings) -> None:
        self._watcher = ConfigurationWatcher(settings)
        self._task: asyncio.Task[None] | None = None

    @property
    def values(self) -> SettingValues:
        """The present values: the last known ones while Kafka or the service is away."""
        return self._watcher.values

    def start(self) -> None:
        """Load the last known values, and follow the changes."""
        self._watcher.start()
        self._task = asyncio.create_task(self._run(), name="live settings")

    async def aclose(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._watcher.stop)

    def rate_limit(self, traffic: TrafficClass) -> int:
        """Return the requests a minute of a traffic class."""
        setting = RATE_LIMITS.get(traffic)
        return LIMITS[traffic] if setting is None else self.values.get(setting)

    async def _run(self) -> None:
        while True:
            configure_breakers(breaker_settings(self.values))
            await asyncio.sleep(APPLY_EVERY_S)


def breaker_settings(values: SettingValues) -> BreakerSettings:
    """Return the settings of the circuit breakers."""
    return BreakerSettings(
        window=values.get(BREAKER_WINDOW),
        failure_share=values.get(BREAKER_FAILURE_SHARE),
        max_open_s=values.get(BREAKER_OPEN_S),
        trials=values.get(BREAKER_TRIALS),
    )
