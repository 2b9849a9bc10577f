"""What a message of the stream looks like: value, headers, key, and the schemas that say so."""
