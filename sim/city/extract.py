"""Makes the shipped extracts from the full published files; run by hand, never by the product.

    python -m liftgate.sim.city.extract \\
        --stays stays.csv.gz --rates rate_grid_30min.csv.gz --out sim/city/data

Rows are taken whole and unchanged, in the order of the source. The same input gives the same CSV.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from liftgate.sim.city.stays import FROM_LOCAL, LOTS, TO_LOCAL
from liftgate.sim.city.synthetic import CAR_PARKS, FROM_DAY, TO_DAY

# SHA-256 of the unpacked CSV files that the extracts are made from, as their collections state them.
STAYS_SHA256 = "5f03ad894476b649da9a2853d8f9ad5c90b4a5953f8dbef3242df156e083e34a"
RATES_SHA256 = "5888ce0c9b778a9c54fc8e76c9e971ca0389b45e0eac8fee39f77eae8ee4b79c"


class SourceDiffers(ValueError):
    """The file is not the one that the extract is documented to come from."""


def cut_stays(lines: Iterable[str]) -> list[list[str]]:
    """Return header and rows of the chosen lots' stays that touch the chosen weeks."""
    lots = {lot.id for lot in LOTS}
    header, *rows = csv.reader(lines)
    # Local times of this form sort as text.
    return [header] + [row for row in rows if row[0] in lots and row[1] < TO_LOCAL and row[2] >= FROM_LOCAL]


def cut_rates(lines: Iterable[str]) -> list[list[str]]:
    """Return header and rows of the chosen car parks on the chosen days, the last one included."""
    header, *rows = csv.reader(lines)
    columns = [0] + [header.index(park) for park in CAR_PARKS]
    kept = [header] + [row for row in rows if FROM_DAY <= row[0][:10] <= TO_DAY]
    return [[row[column] for column in columns] for row in kept]


def unpack(path: Path, sha256: str) -> list[str]:
    """Return the lines of a packed CSV. SourceDiffers: its content is not the one expected."""
    content = gzip.decompress(path.read_bytes())
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SourceDiffers(f"{path}: SHA-256 of the content is {found}, expected {sha256}")
    return content.decode("ascii").splitlines()


def pack(rows: Sequence[Sequence[str]], path: Path) -> str:
    """Write rows as packed CSV without a date in it; return a line that says what it is."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    content = text.getvalue().encode("ascii")
    packed = gzip.compress(content, compresslevel=9, mtime=0)
    path.write_bytes(packed)
    shas = f"gz {hashlib.sha256(packed).hexdigest()} csv {hashlib.sha256(content).hexdigest()}"
    return f"{path.name}: {len(rows) - 1} rows, {len(packed)} bytes, {shas}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both extracts and print rows, bytes and hashes for the READMEs."""
    parser = argparse.ArgumentParser(description="Make the shipped extracts from the full files.")
    for option in ("--stays", "--rates", "--out"):
        parser.add_argument(option, type=Path, required=True)
    given = parser.parse_args(arguments)
    stays = cut_stays(unpack(given.stays, STAYS_SHA256))
    rates = cut_rates(unpack(given.rates, RATES_SHA256))
    print(pack(stays, given.out / "thsparking" / "stays.csv.gz"))
    print(pack(rates, given.out / "birmingham" / "rate_grid_30min.csv.gz"))


if __name__ == "__main__":
    main()
