"""The KV cache of one engine, in blocks that calls share if they begin alike."""

from collections import OrderedDict
from dataclasses import dataclass

from judge_server.sizing.workload import Call


@dataclass(slots=True)
class _Part:
    """``blocks`` that it has if it is whole; ``resident``: how many of them, from the first, are in the cache;
    ``users``: calls that hold it."""

    blocks: int
    resident: int = 0
    users: int = 0


class PrefixCache:
    """Blocks of ``block_tokens`` tokens, ``blocks`` of them. A part of a prompt owns the blocks that end in it. What no
    call holds stays until its room is needed; then the part that was released first goes, from its end, as in vLLM."""

    def __init__(self, blocks: int, block_tokens: int, *, shares: bool = True) -> None:
        self._free = blocks
        self._size = block_tokens
        self._shares = shares
        self._parts: dict[str, _Part] = {}
        self._released: OrderedDict[str, _Part] = OrderedDict()
        self._room = 0  # blocks of released parts

    def take(self, call: Call) -> int | None:
        """Hold the blocks of a call; returns how many tokens of its prompt need not be computed, or None if there is no
        room now."""
        owned = self._owned(call)
        known = self._known(call, owned)
        hit = sum(known)
        total = -(-(call.length + call.answer_tokens) // self._size)
        held = sum(known[at] for at, name in enumerate(call.parts) if known[at] and not self._parts[name].users)
        if total - hit > self._free + self._room - held:
            return None
        if self._shares:
            self._hold(call, owned, known)
        self._make_room(total - hit)
        self._free -= total - hit
        return min(hit * self._size, call.length - 1)

    def _owned(self, call: Call) -> list[int]:
        ends = [end // self._size for end in call.ends]
        return [end - start for start, end in zip([0, *ends], ends, strict=False)]

    def _known(self, call: Call, owned: list[int]) -> list[int]:
        """For each part how many of its blocks can be used: none after the first that is not there."""
        known = [0] * len(owned)
        for at, (name, blocks) in enumerate(zip(call.parts, owned, strict=True)):
            part = self._parts.get(name)
            known[at] = part.resident if part is not None else 0
            if known[at] < blocks:
                break
        return known

    def _hold(self, call: Call, owned: list[int], known: list[int]) -> None:
        for name, blocks, usable in zip(call.parts, owned, known, strict=True):
            part = self._parts.setdefault(name, _Part(blocks))
            if not part.users and self._released.pop(name, None) is not None:
                self._room -= part.resident
                self._free += part.resident - usable
            part.users += 1
            part.resident = blocks

    def _make_room(self, blocks: int) -> None:
        while self._free < blocks:
            name, part = next(iter(self._released.items()))
            gone = min(part.resident, blocks - self._free)
            part.resident -= gone
            self._room -= gone
            self._free += gone
            if not part.resident:
                del self._released[name], self._parts[name]

    def release(self, call: Call) -> None:
        """Give back what a finished call held: its end first, so that it is the first to go."""
        total = -(-(call.length + call.answer_tokens) // self._size)
        if not self._shares:
            self._free += total
            return
        self._free += total - call.length // self._size
        for name in reversed(call.parts):
            part = self._parts[name]
            part.users -= 1
            if not part.users:
                self._released[name] = part
                self._room += part.resident

    @property
    def blocks(self) -> int:
        """All that no call holds."""
        return self._free + self._room
