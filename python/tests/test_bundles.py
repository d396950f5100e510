import fractions

import pytest

from maisi_bridge import bundles
from maisi_bridge.wire import Kept


@pytest.fixture(autouse=True)
def fresh_namespace():
    bundles._namespace.clear()
    bundles._imported.clear()


def test_references_stand_for_values():
    assert bundles.evaluate("@a + @b::c * 2", {"a": 1, "b::c": 3}, []) == 7
    assert bundles.evaluate("@b#c", {"b::c": 3}, []) == 3


def test_longer_ids_are_not_cut():
    assert bundles.evaluate("[@a, @ab, @a::b]", {"a": 1, "ab": 2, "a::b": 3}, []) == [1, 2, 3]


def test_an_at_sign_that_is_no_reference_stays():
    assert bundles.evaluate("'user@host'", {}, []) == "user@host"


def test_imports_reach_comprehensions_and_lambdas():
    assert bundles.evaluate("[math.gcd(x, @n) for x in (4, 6)]", {"n": 12}, ["import math"]) == [4, 6]
    assert bundles.evaluate("(lambda x: gcd(x, @n))(8)", {"n": 12}, ["from math import gcd"]) == 4


def test_objects_stay_here():
    kept = bundles.instantiate("fractions.Fraction", "default", {"numerator": 1, "denominator": 3})
    assert isinstance(kept, Kept)
    assert kept.value == fractions.Fraction(1, 3)
    assert bundles.evaluate("float(@f) * 3", {"f": kept.value}, []) == 1.0


def test_plain_data_crosses_and_its_subclasses_do_not():
    class Name(str):
        pass

    assert bundles.share([1, ("a", {"b": None})]) == [1, ("a", {"b": None})]
    assert isinstance(bundles.share(Name("x")), Kept)
    assert isinstance(bundles.share([1, object()]), Kept)


def test_modes():
    maker = bundles.instantiate("fractions.Fraction", "callable", {"denominator": 8}).value
    assert maker(numerator=3) == fractions.Fraction(3, 8)
    assert bundles.instantiate("math.sqrt", "callable", {}).value(9) == 3
    with pytest.raises(ValueError, match="_mode_"):
        bundles.instantiate("fractions.Fraction", "other", {})


def test_locating():
    import os.path
    import xml.dom.minidom

    assert bundles.locate("os.path.join") is os.path.join
    assert bundles.locate("xml.dom.minidom.Document") is xml.dom.minidom.Document
    assert bundles.locate("fractions.Fraction.from_float") == fractions.Fraction.from_float
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        bundles.locate("no_such_package.Thing")
    with pytest.raises(AttributeError):
        bundles.locate("fractions.NoSuchClass")


def test_a_module_that_fails_to_import_is_not_taken_for_a_missing_one(tmp_path, monkeypatch):
    (tmp_path / "half_broken.py").write_text("import a_dependency_that_is_missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="a_dependency_that_is_missing"):
        bundles.locate("half_broken.Thing")


def test_a_bare_name_needs_monai():
    try:
        import monai  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(ModuleNotFoundError, match="full path"):
            bundles.locate("LoadImaged")
    else:
        assert bundles.locate("LoadImaged").__name__ == "LoadImaged"
