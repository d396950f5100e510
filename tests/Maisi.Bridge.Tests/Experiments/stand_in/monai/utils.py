"""What the stages change in MONAI."""

last_seed = None


def set_determinism(seed=0, **_):
    global last_seed
    last_seed = seed
