"""A parser of configs that are JSON."""

import json


class ConfigParser:
    def __init__(self, globals=None):
        self._content = {}

    def read_config(self, path):
        with open(path, encoding="utf-8") as file:
            self._content = json.load(file)

    def get(self):
        return self._content

    def __getitem__(self, key):
        return self._content[key]

    def __setitem__(self, key, value):
        *parents, last = key.split("#")
        at = self._content
        for name in parents:
            at = at.setdefault(name, {})
        at[last] = value

    @staticmethod
    def export_config_file(content, path, **_):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
