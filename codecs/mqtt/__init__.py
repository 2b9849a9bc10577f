"""MQTT 5 as readers speak it: whole packets out of a byte stream, and the names of topics."""
