"""MONAI's Auto3DSeg as a trainer of experiments: what each stage of it needs, as functions that a worker process calls.

The caller decides who is trained and validated on what; see Project-MONAI/MONAI, ``monai/apps/auto3dseg``, and the algorithm templates of
Project-MONAI/research-contributions. One stage runs per process: Auto3DSeg changes logging, start methods and ``sys.modules``.
"""
