"""Counts people who cross a line, in quarters of an hour."""

import argparse
import csv
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Crossing:
    at: datetime
    inward: bool


def quarter(at: datetime) -> datetime:
    """The start of the quarter of an hour that a moment is in."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def side(line, point) -> float:
    (ax, ay), (bx, by) = line
    return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)


def crossings(track, line):
    """A track is a list of (moment, point); a crossing is where it changes sides."""
    for (_, before), (at, after) in zip(track, track[1:]):
        was, now = side(line, before), side(line, after)
        if was * now < 0:
            yield Crossing(at, inward=now > 0)


def write(path, found) -> None:
    counts = Counter((quarter(one.at), one.inward) for one in found)
    begins = sorted({begin for begin, _ in counts})
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["begin", "in", "out", "unsure"])
        for begin in begins:
            table.writerow([begin.isoformat(), counts[begin, True], counts[begin, False], 0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("--line", required=True, help="x,y:x,y in pixels")
    parser.add_argument("--out", default="counts.csv")
    arguments = parser.parse_args()
    ends = [tuple(map(int, end.split(","))) for end in arguments.line.split(":")]
    from tracks import follow

    found = [one for track in follow(arguments.video) for one in crossings(track, ends)]
    write(arguments.out, found)


if __name__ == "__main__":
    main()
