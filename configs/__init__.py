"""TOML files, their schema and their loader."""
