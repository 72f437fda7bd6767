"""What the header of a JPEG stream says of its picture (ITU T.81, annex B; JPEG-LS is built alike)."""

from dataclasses import dataclass

_START, _TABLES, _SCAN, _JPEG_LS = b"\xff\xd8", 0xC4, 0xDA, 0xF7
_FRAMES = frozenset({*range(0xC0, 0xD0), _JPEG_LS}) - {_TABLES, 0xC8, 0xCC}
"""Markers that begin a frame."""
_SMALLEST_TABLES = 20
"""Bytes of a segment with one table of one code."""


@dataclass(frozen=True)
class JpegFrame:
    """Size of the picture."""

    bits: int
    """Of one sample."""
    height: int
    width: int
    num_components: int


def read_frame(stream: bytes) -> JpegFrame | None:
    """The frame of a stream; None where the header, up to the first scan, is damaged or lacks what a decoder needs."""
    frame: JpegFrame | None = None
    has_tables = False
    position = 2 if stream.startswith(_START) else len(stream)
    while position + 10 <= len(stream) and stream[position] == 0xFF:
        marker, length = stream[position + 1], int.from_bytes(stream[position + 2 : position + 4])
        fields = stream[position + 4 : position + 10]
        if marker == _SCAN:
            return frame if has_tables else None
        if marker in _FRAMES:
            frame = JpegFrame(fields[0], int.from_bytes(fields[1:3]), int.from_bytes(fields[3:5]), fields[5])
        has_tables = has_tables or marker == _JPEG_LS or (marker == _TABLES and length >= _SMALLEST_TABLES)
        position += 2 + length
    return None
