from __future__ import annotations

import pytest

from liftgate.bench.proofs import proofs


@pytest.mark.long
def test_proofs_tiny() -> None:
    """Every kind of proof is measured, the process finds signatures out, the answers are the same twice."""
    result = proofs(rounds=1, seconds=0.1)
    assert result.process_per_s > 0
    assert 0 < result.mac_us < result.signature_us
    assert result.hash == proofs(rounds=1, seconds=0.05).hash
