"""Traffic: simulated readers and recorded stays on the real wire."""
