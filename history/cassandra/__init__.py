"""The history in Apache Cassandra 4.1 or later, for many lots and years; docs/history.md describes it."""
