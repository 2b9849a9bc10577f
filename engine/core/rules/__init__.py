"""The rules, one question each, asked in the order of `table.py`."""
