"""Where in a file a key stands."""

from __future__ import annotations

from liftgate.configs.lines import key_lines, line_of

TEXT = '''# a comment with key = 1
[engine]
name = "a"
tls.cert = "c"
note = """
name = "not a key"
[[lot]]
"""

[[lot]]
[[lot.area]] # first
[[lot.area]]
"id" = "b"
[lot.rules]
x = 1
[[lot]]
[[lot.area]]
parent = "p"
'''


def test_keys_have_the_line_they_stand_on() -> None:
    """Tables in arrays count from 0 within the table that holds them; what is inside a string is no key."""
    lines = key_lines(TEXT)
    assert lines == {
        "engine": 2,
        "engine.name": 3,
        "engine.tls.cert": 4,
        "engine.note": 5,
        "lot[0]": 10,
        "lot[0].area[0]": 11,
        "lot[0].area[1]": 12,
        "lot[0].area[1].id": 13,
        "lot[0].rules": 14,
        "lot[0].rules.x": 15,
        "lot[1]": 16,
        "lot[1].area[0]": 17,
        "lot[1].area[0].parent": 18,
    }


def test_a_key_without_a_line_has_that_of_the_nearest_around_it() -> None:
    """A missing key is looked for at its table, an array's entry at the array, a missing table nowhere."""
    lines = key_lines(TEXT)
    assert line_of("lot[0].area[1].parent", lines) == 12
    assert line_of("engine.note[3]", lines) == 5
    assert line_of("engine.tls.cert.x", lines) == 4
    assert line_of("reader[0].id", lines) is None
    assert line_of("", lines) is None
