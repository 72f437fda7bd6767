"""W&B's files as its program writes them, from its own messages; the frames are those of LevelDB's log."""

import struct
import zlib

BLOCK = 32_768
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def write_log(records: list[bytes]) -> bytes:
    """A whole file with these records, each split where a block ends."""
    content = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        rest, is_first = record, True
        while is_first or rest:
            left = BLOCK - len(content) % BLOCK
            if left < 7:
                content += bytes(left)
                left = BLOCK
            part, rest = rest[: left - 7], rest[left - 7 :]
            kind = (FIRST if rest else FULL) if is_first else (MIDDLE if rest else LAST)
            content += struct.pack("<IHB", zlib.crc32(part, zlib.crc32(bytes([kind]))), len(part), kind) + part
            is_first = False
    return bytes(content)
