"""Storage in memory: complete, bounded, and gone when the process ends."""

from uhi.storage.memory.storage import MemoryStorage

__all__ = ["MemoryStorage"]
