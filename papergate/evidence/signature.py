"""A detached signature over a bundle, by OpenSSH: the tool that is on every machine, with keys that people have.

    ssh-keygen -Y sign -n papergate -f KEY FILE.zip
    ssh-keygen -Y verify -n papergate -f SIGNERS -I WHO -s FILE.zip.sig < FILE.zip

is all that is done here. ``SIGNERS`` is a file of allowed signers as ``ssh-keygen(1)`` describes it.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from papergate.errors import EvidenceError
from papergate.evidence.records import Result, refused
from papergate.files import reason
from papergate.printable import one_line
from papergate.run_folder.notes import note
from papergate.words import worded

NAMESPACE = "papergate"
"""What the key signs here is not to be taken for anything else that it signs."""


def sign(bundle: Path, key: Path) -> Path:
    """Sign ``bundle`` with ``key``, private or known to the agent; the signature is written beside it.

    Raises:
        EvidenceError: it cannot be signed, in the words of ssh-keygen.
    """
    signature = bundle.with_name(f"{bundle.name}.sig")
    signature.unlink(missing_ok=True)  # ssh-keygen asks before it replaces one
    done = _ssh_keygen(["-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(bundle)])
    if done.returncode:
        raise worded(EvidenceError, note("bundle_not_signed", bundle=f"{bundle}", said=_said(done)))
    return signature


def signer_of(bundle: Path, signature: Path, signers: Path) -> str:
    """Who of ``signers`` signed ``bundle``.

    Raises:
        Refused: none of them, or another file.
        EvidenceError: there is no ssh-keygen.
    """
    about = ["-n", NAMESPACE, "-s", str(signature), "-f", str(signers)]
    found = _ssh_keygen(["-Y", "find-principals", *about])
    who = found.stdout.decode(errors="replace").splitlines()
    if found.returncode or not who:
        raise refused(
            Result.UNSIGNED,
            note("signature_of_no_signer", signature=f"{signature}", signers=f"{signers}", said=_said(found)),
        )
    done = _ssh_keygen(["-Y", "verify", *about, "-I", who[0]], bundle)
    if done.returncode:
        raise refused(
            Result.UNSIGNED,
            note("signature_of_another", signature=f"{signature}", bundle=f"{bundle}", said=_said(done)),
        )
    return who[0]


def _ssh_keygen(arguments: Sequence[str], given: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
    try:
        with (given or Path("/dev/null")).open("rb") as file:
            return subprocess.run(["ssh-keygen", *arguments], stdin=file, capture_output=True, check=False)  # noqa: S603, S607
    except OSError as error:
        raise worded(EvidenceError, note("ssh_keygen_missing", reason=reason(error))) from error


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    return one_line((done.stderr or done.stdout).decode(errors="replace"))
