"""Sums the counters of TRX and JUnit result files, lists what was skipped and why, and sets the exit code."""
import glob
import os
import sys
import xml.etree.ElementTree as ET

folder, status = sys.argv[1], int(sys.argv[2])
passed = failed = skipped = 0
reasons = {}
trx = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
for path in glob.glob(os.path.join(folder, "**", "*.trx"), recursive=True):
    for result in ET.parse(path).iter(trx + "UnitTestResult"):
        outcome = result.get("outcome")
        if outcome == "Passed":
            passed += 1
        elif outcome == "NotExecuted":
            skipped += 1
            text = result.findtext(f"{trx}Output/{trx}StdOut") or result.findtext(f"{trx}Output/{trx}ErrorInfo/{trx}Message") or "no reason given"
            reasons.setdefault(text.strip().splitlines()[0], []).append(result.get("testName"))
        else:
            failed += 1
            print("FAILED", result.get("testName"))
for path in glob.glob(os.path.join(folder, "*.xml")):
    for case in ET.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (skip := case.find("skipped")) is not None:
            skipped += 1
            reasons.setdefault(skip.get("message") or "no reason given", []).append(case.get("name"))
        else:
            passed += 1
for reason, names in sorted(reasons.items()):
    print(f"skipped {len(names)}: {reason} ({names[0]}{', ...' if len(names) > 1 else ''})")
if passed == 0 and failed == 0:
    failed, status = 1, 1
if status and not failed:
    failed = 1
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or status else 0)
