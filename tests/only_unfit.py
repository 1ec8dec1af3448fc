"""Whether all that went wrong in a session of tests/perf is that the measuring client was unfit, as on a busy machine.

    python -m tests.only_unfit report/perf.xml

For papergate's own checks, where what is tried is the way and not the speed. It is asked after a session that failed:
the status is 0 where in some tests the client was unfit and all others passed, 1 where something else went wrong.
"""

import sys
from xml.etree import ElementTree as ET


def main() -> None:
    cases = list(ET.parse(sys.argv[1]).getroot().iter("testcase"))
    wrong = [case.get("name") for case in cases if not (passed(case) or unfit(case))]
    if wrong:
        sys.exit(f"{sys.argv[1]}: {', '.join(map(str, wrong))} went wrong for another reason than the client")
    count = sum(map(unfit, cases))
    if not count:
        sys.exit(f"{sys.argv[1]}: in none of {len(cases)} workloads was the client unfit; look at the session's output")
    print(f"{count} of {len(cases)} workloads have no figures: the client was unfit on this machine")  # noqa: T201


def passed(case: ET.Element) -> bool:
    return not any(case.find(outcome) is not None for outcome in ("failure", "error", "skipped"))


def unfit(case: ET.Element) -> bool:
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    return case.find("failure") is not None and properties.get("unfit") == "client"


if __name__ == "__main__":
    main()
