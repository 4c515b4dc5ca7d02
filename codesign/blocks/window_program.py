"""Event program of a sliding window: a reader, a line buffer, a writer.

Per axis the kernel spans E = (K - 1)*D + 1 pixels and moves by S. The reader drops what no window
uses: the rest behind the last window, and with S > E the gaps between windows. So in the line
buffer a window moves by M = min(S, E), and a row holds (OW - 1)*M + E pixels ("kept"). The tap
(ky, kx) of a window lies ky*D*kept + kx*D pixels behind its first one, which is always the first
pixel not yet released.
"""

from __future__ import annotations

from dataclasses import dataclass

from codesign.blocks.programs import loop, segment
from codesign.program import InnerChannel, Loop, Process, Program, Read, Segment


@dataclass(frozen=True)
class Axis:
    """One direction of a picture of `size` pixels under a kernel of `taps`, moved by `stride`."""

    size: int
    taps: int
    stride: int
    dilation: int

    @property
    def extent(self) -> int:
        """Pixels from the first to the last tap."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def steps(self) -> int:
        """Positions of the window."""
        return (self.size - self.extent) // self.stride + 1

    @property
    def move(self) -> int:
        """Kept pixels from one window to the next."""
        return min(self.stride, self.extent)

    @property
    def kept(self) -> int:
        """Pixels that stay."""
        return (self.steps - 1) * self.move + self.extent

    @property
    def runs(self) -> tuple[tuple[int, int], ...]:
        """(pixels kept, pixels dropped behind them) from the first to the last pixel."""
        used = (self.steps - 1) * self.stride + self.extent
        rest = self.size - used
        if self.stride <= self.extent:
            return ((self.kept, rest),)
        gap = self.stride - self.extent
        return ((self.extent, gap),) * (self.steps - 1) + ((self.extent, rest),)


def smallest_buffer(rows: Axis, columns: Axis) -> int:
    """Pixels from the first to the last of a window: less, and it never gets out."""
    return (rows.extent - 1) * columns.kept + columns.extent


def buffer_depth(rows: Axis, columns: Axis, fold: int) -> int:
    """Tokens of the line buffer: the smallest one for the window that the writer is at, and room
    for what the reader fetches meanwhile.

    That is the next window: the first of a new frame, or of a row where windows do not overlap. So
    neither waits for the other, and the interval is the larger of their own. A reader that drops
    rows between windows, and then outruns the writer on the rows it keeps, needs room for those of
    two windows: the last of a frame and the first of the next one follow without a gap.
    """
    smallest = smallest_buffer(rows, columns)
    drops = rows.stride >= rows.extent and rows.kept < rows.size
    outruns = columns.steps * rows.taps * columns.taps > rows.extent * columns.size
    ahead = 2 * rows.extent * columns.kept if drops and outruns else smallest
    return (smallest + ahead) * fold


def window_program(rows: Axis, columns: Axis, fold: int, latency_cycles: int) -> Program:
    """Both processes for `fold` tokens a pixel; `latency_cycles` from the line buffer to the output."""
    reader = reader_process(rows, columns, fold)
    writer = Process("writer", _writer_loops(rows, columns, fold), latency_cycles)
    depth = buffer_depth(rows, columns, fold)
    return Program((reader, writer), (InnerChannel("lines", "reader", "writer", depth),))


def reader_process(rows: Axis, columns: Axis, fold: int) -> Process:
    """Every pixel is read, those that a window uses are written to the line buffer."""
    read = (Read("in0"),)
    row: tuple[Segment, ...] = ()
    for keep, drop in columns.runs:
        row += segment(keep * fold, read, ("lines",)) + segment(drop * fold, read)
    loops: tuple[Loop, ...] = ()
    for keep, drop in rows.runs:
        loops += loop(keep, row) + loop(1, segment(drop * columns.size * fold, read))
    return Process("reader", loops)


def _writer_loops(rows: Axis, columns: Axis, fold: int) -> tuple[Loop, ...]:
    """Every window, element by element; the last element releases what no later window uses."""
    step = columns.move
    row_end = rows.move * columns.kept - (columns.steps - 1) * step
    frame_end = rows.extent * columns.kept - (columns.steps - 1) * step
    within = loop(columns.steps - 1, _pixel(rows, columns, fold, step))
    row = within + loop(1, _pixel(rows, columns, fold, row_end))
    last = within + loop(1, _pixel(rows, columns, fold, frame_end))
    return row * (rows.steps - 1) + last


def _pixel(rows: Axis, columns: Axis, fold: int, release: int) -> tuple[Segment, ...]:
    """The events of one window, that releases `release` pixels at its end."""
    starts = [ky * rows.dilation * columns.kept * fold for ky in range(rows.taps)]
    count, step = columns.taps * fold, 1
    if columns.dilation > 1 and fold == 1:
        step = columns.dilation
    elif columns.dilation > 1:
        taps = range(columns.taps)
        starts = [start + kx * columns.dilation * fold for start in starts for kx in taps]
        count = fold
    releases = [0] * (len(starts) - 1) + [release * fold]
    return tuple(
        Segment(count, (Read("lines", start, step, 0, at_end),), ("out0",))
        for start, at_end in zip(starts, releases, strict=True)
    )
