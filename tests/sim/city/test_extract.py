from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files
from pathlib import Path

import pytest

from liftgate.sim.city.extract import SourceDiffers, cut_rates, cut_stays, main, pack, unpack
from liftgate.sim.city.synthetic import CAR_PARKS

HEADER = "lot,arrival,departure,price_cny,status"


def test_stays_that_touch_the_weeks_are_taken_whole() -> None:
    """Kept: lots and stays within or across the borders; dropped: other lots, ended before, begun after."""
    inside = "P1,2018-09-10T10:00,2018-09-10T11:00,5,1"
    across = "P8,2018-09-03T06:00,2018-09-03T07:00,5,0"
    before = "P8,2018-09-03T05:00,2018-09-03T06:59,5,0"
    after = "P7,2018-10-15T07:00,2018-10-15T08:00,5,1"
    other = "P3,2018-09-10T10:00,2018-09-10T11:00,5,1"
    rows = cut_stays([HEADER, across, before, inside, after, other])
    assert [",".join(row) for row in rows] == [HEADER, across, inside]


def test_rates_keep_chosen_columns_and_days() -> None:
    """Columns come out in the order of CAR_PARKS, days from the first to the last one included."""
    parks = list(reversed(CAR_PARKS))
    lines = [",".join(["slot_local", "else", *parks])]
    lines += [f"{day} 08:00:00,x,4,3,2,1" for day in ("2016-11-06", "2016-11-07", "2016-12-02", "2016-12-03")]
    rows = cut_rates(lines)
    assert rows[0] == ["slot_local", *CAR_PARKS]
    assert rows[1:] == [[f"{day} 08:00:00", "1", "2", "3", "4"] for day in ("2016-11-07", "2016-12-02")]


@pytest.mark.parametrize(
    ("name", "cut"),
    [("thsparking/stays.csv.gz", cut_stays), ("birmingham/rate_grid_30min.csv.gz", cut_rates)],
)
def test_the_shipped_extract_is_a_fixed_point(name: str, cut: object, tmp_path: Path) -> None:
    """Cutting the shipped file again changes nothing, and packing it gives the same CSV."""
    content = gzip.decompress((files("liftgate.sim.city") / "data" / name).read_bytes())
    assert callable(cut)
    said = pack(cut(content.decode().splitlines()), tmp_path / "again.csv.gz")
    assert hashlib.sha256(content).hexdigest() in said
    assert gzip.decompress((tmp_path / "again.csv.gz").read_bytes()) == content


def test_another_source_is_refused(tmp_path: Path) -> None:
    """A file whose content is not the documented one makes no extract."""
    source = tmp_path / "stays.csv.gz"
    source.write_bytes(gzip.compress(b"lot\n"))
    with pytest.raises(SourceDiffers, match="expected"):
        main(["--stays", str(source), "--rates", str(source), "--out", str(tmp_path)])
    assert unpack(source, hashlib.sha256(b"lot\n").hexdigest()) == ["lot"]
    assert not (tmp_path / "thsparking").exists()
