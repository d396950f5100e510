import gc

import pytest

torch = pytest.importorskip("torch")


def test_a_tensor_and_its_address_are_the_same_object():
    from maisi_bridge import tensors

    made = torch.arange(6.0).reshape(2, 3)
    again = tensors.wrap(tensors.address(made))
    assert again is made, "one TensorImpl has one Python object"


def test_what_is_wrapped_keeps_the_memory():
    from maisi_bridge import tensors

    made = torch.full((1000,), 2.0)
    view = tensors.wrap(tensors.address(made))
    del made
    gc.collect()
    assert view.sum().item() == 2000
