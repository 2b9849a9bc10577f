"""Begin the corpus with what is good: credential_seeds.py VECTORS FOLDER writes one file for each token."""

import json
import sys
from pathlib import Path

ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def base45(raw: bytes) -> bytes:
    """Encode as RFC 9285 does, without the package, so that the system's Python is enough."""
    out = bytearray()
    for at in range(0, len(raw), 2):
        pair = raw[at : at + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            out.append(ALPHABET[digit])
    return bytes(out)


def main(vectors: Path, folder: Path) -> None:
    """Write each COSE message bare, and as a ticket would carry it; and each tag's URL."""
    folder.mkdir(parents=True, exist_ok=True)
    found = json.loads((vectors / "cose_sign1.json").read_text())["vectors"]
    messages = [bytes.fromhex(vector["cose_sign1"]) for vector in found]
    found = json.loads((vectors / "cwt_rfc8392.json").read_text())["vectors"]
    messages += [bytes.fromhex(vector["token"]) for vector in found]
    tags = json.loads((vectors / "ntag424_sun.json").read_text())["vectors"]
    seeds = messages + [b"LG1:" + base45(message) for message in messages]
    seeds += [
        f"?e={tag['picc_enc_data']}&c={tag['sdmmac']}".encode() for tag in tags if "picc_enc_data" in tag
    ]
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
