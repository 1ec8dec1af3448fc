"""``papergate verify``: a bundle checked on any machine, offline."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from papergate import __version__
from papergate.acceptance.options import options_in
from papergate.errors import OptionsError
from papergate.evidence.records import Checked, Refused, Result, Verified
from papergate.evidence.signature import signer_of
from papergate.evidence.verify import Quoted, verify_bundle
from papergate.printable import printable
from papergate.run_folder.notes import note
from papergate.words import LANGUAGES, VARIABLE, Language, explain, label, say, worded

EPILOG = """\
example: papergate verify r1.zip --junit accept.xml

exit codes:
  0  verified: files, sums, seals, seeds, grades and verdicts fit
  1  contradicted: a grade or a verdict is not what the completions give
  2  an option or a file of yours cannot be used
  3  no bundle: cut off, packed by another tool, or an archive that papergate does not open
  4  of a later release
  5  altered: files, sums, seals, seeds or quotations do not fit each other
  6  the signature is of none of the signers, or of another file
  7  all that could be computed here fits; something could not be, and is listed
"""


def add_parser(subparsers: Any) -> None:  # noqa: ANN401 - argparse does not name the type of its subparsers
    """Add ``verify`` to the command line."""
    parser = subparsers.add_parser(
        "verify",
        help="check a bundle offline: sums, seeds, grades and verdicts",
        description="Check a bundle: nothing in it is trusted, and everything that can be computed is computed again.",
        epilog=EPILOG,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what papergate bundle wrote")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="the JUnit report that you hold: it quotes the root")
    parser.add_argument("--root", default="", metavar="HEX", help="the root as you know it from elsewhere")
    parser.add_argument("--signature", type=Path, metavar="FILE", help="signature of the bundle; needs --signers")
    parser.add_argument("--signers", type=Path, metavar="FILE", help="whom you trust: allowed signers of ssh-keygen(1)")
    parser.add_argument(
        "--data", action="append", default=[], metavar="BENCHMARK=FILE", help="your own copy of a benchmark's file"
    )
    parser.add_argument("--language", choices=[*LANGUAGES], help=f"of the findings; default: {VARIABLE}, else en")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, print what was found, and return the exit code."""
    if bool(args.signature) != bool(args.signers):
        raise worded(OptionsError, note("signature_alone"))
    options = options_in(args)
    try:
        signer = signer_of(args.file, args.signature, args.signers) if args.signature else ""
        found = verify_bundle(args.file, options, Quoted(root=args.root, junit=args.junit, signer=signer))
    except Refused as error:
        print(f"papergate: {printable(str(args.file))}: {explain(error, options.language)}", file=sys.stderr)
        return error.result
    for line in _lines(found, options.language):
        print(printable(line))
    return found.result


def _lines(found: Verified, language: Language) -> Iterator[str]:
    for one in found.promises:
        yield from _lines_of(one, language)
    yield f"{label('result', language)}{label('colon', language)}{label(found.result.name.lower(), language)}"
    yield from _sentences(found, language)


def _lines_of(one: Checked, language: Language) -> Iterator[str]:
    verdict = label(one.stated.verdict if one.stated else "error", language)
    yield f"{one.promise}{label('colon', language)}{verdict}"
    for kind, notes in (("contradicted", one.contradictions), ("incomplete", one.gaps), ("note", one.remarks)):
        yield from (f"  {label(kind, language)}{label('colon', language)}{say(each, language)}" for each in notes)


def _sentences(found: Verified, language: Language) -> Iterator[str]:
    """What the check proves, and what it cannot."""
    if found.result is not Result.CONTRADICTED:
        judged = sorted({one.stated.papergate for one in found.promises if one.stated})
        yield say(
            note(
                "verify_proves",
                files=found.files,
                root=found.root,
                completions=sum(one.completions for one in found.promises),
                grades=sum(one.regraded for one in found.promises),
                verdicts=sum(one.recomputed for one in found.promises),
                here=__version__,
                judged=", ".join(judged),
            ),
            language,
        )
    by = [label(one, language) for one in found.quoted_by]
    if found.signed_by:
        by.append(say(note("signature_of", name=found.signed_by), language))
    quoted = note("verify_quoted", by=", ".join(by)) if by else note("verify_unquoted")
    yield say(quoted, language)
    yield say(note("verify_cannot"), language)
