"""Credentials that cannot be made up or copied unseen: signed tickets and NTAG 424 tags, sans I/O."""
