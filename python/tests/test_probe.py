import json
import os
import sys

from maisi_bridge import probe


def test_the_record_is_one_line_of_json(capsys):
    probe.main(["json", "no_such_module_at_all"])
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    record = json.loads(printed)
    assert record["version"] == "%d.%d.%d" % sys.version_info[:3]
    assert "json" in record["modules"]
    assert "no_such_module_at_all" not in record["modules"]
    assert record["prefix"] == sys.prefix


def test_libpython_exists_when_it_is_named():
    path = probe.libpython()
    assert path is None or os.path.isfile(path)


def test_torch_is_described_without_importing_it():
    before = "torch" in sys.modules
    record = probe.torch_record()
    assert ("torch" in sys.modules) == before
    if record is not None:
        assert record["version"]
        assert record["libtorch"] is None or not os.path.islink(record["libtorch"])
