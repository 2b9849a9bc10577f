"""Write the vectors of credentials as a C header: credential_vectors.py FOLDER > header.

Strings of hex stay strings; the tests decode them. A field that a vector does not have is NULL.
"""

import json
import sys
from pathlib import Path
from typing import Any

FIELDS = {
    "ed25519_rfc8032": ("name", "public_key", "message", "signature"),
    "aes_cmac_rfc4493": ("name", "message", "mac"),
    "cose_sign1": ("name", "alg", "key.x", "key.y", "external_aad", "sig_structure", "cose_sign1", "expect"),
    "cwt_rfc8392": ("name", "key.x", "key.y", "key.k", "sig_structure", "mac_structure", "token", "expect"),
    "ntag424_sun": (
        "name",
        "k_meta_read",
        "k_file_read",
        "picc_enc_data",
        "uid_plain",
        "read_ctr_plain",
        "enc_file_data",
        "sdmmac",
        "mac_input_ascii",
        "expect.valid",
        "expect.uid",
        "expect.read_ctr",
        "computed.file_data",
    ),
}


def literal(vector: dict[str, Any], path: str) -> str:
    """Return a field as a C string, or NULL."""
    found: Any = vector
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return "NULL" if found is None else json.dumps(str(found))


def main(folder: Path) -> None:
    """Print one array for each file."""
    print("#include <stddef.h>")
    for file, fields in FIELDS.items():
        content = json.loads((folder / f"{file}.json").read_text())
        members = " ".join(f"const char *{field.replace('.', '_')};" for field in fields)
        print(f"static const struct {file} {{ {members} }} {file}[] = {{")
        for vector in content["vectors"]:
            print("    {" + ", ".join(literal(vector, field) for field in fields) + "},")
        print("};")
        for name in ("key", "claims_cbor"):
            if name in content:
                print(f'static const char {file}_{name}[] = "{content[name]}";')
    times = json.loads((folder / "cwt_rfc8392.json").read_text())["time_checks"]
    rows = ", ".join(f'{{{check["unix"]}u, "{check["expect"]}"}}' for check in times)
    print(
        f"static const struct {{ unsigned long unix_s; const char *expect; }} cwt_time_checks[] = {{{rows}}};"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
