"""A client of NVIDIA's MAISI NIM, after the description in its documentation: posts a request, saves a ZIP or shows the JSON that came back.

Usage: nim_client.py http://localhost:8000 FOLDER [--size X Y Z] [--spacing X Y Z]. It knows nothing of Maisi.Bridge.
"""
import argparse
import datetime
import json
import pathlib
import urllib.error
import urllib.request
import zipfile


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, nargs=3, default=[256, 256, 256])
    parser.add_argument("--spacing", type=float, nargs=3, default=[1.5, 1.5, 1.5])
    arguments = parser.parse_args()

    with urllib.request.urlopen(f"{arguments.server}/v1/health/ready") as response:
        assert json.load(response)["status"] == "ready"

    payload = {
        "num_output_samples": 1,
        "body_region": ["abdomen"],
        "anatomy_list": ["liver"],
        "output_size": arguments.size,
        "spacing": arguments.spacing,
        "image_output_ext": ".nii.gz",
        "label_output_ext": ".nii.gz",
    }
    request = urllib.request.Request(
        f"{arguments.server}/v1/maisi/run", json.dumps(payload).encode(), {"Content-Type": "application/json", "Accept": "application/json"})
    try:
        with urllib.request.urlopen(request) as response:
            kind, body = response.headers.get_content_type(), response.read()
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{error.code}: {error.read().decode()}")
    if kind != "application/zip":
        print(json.dumps(json.loads(body), indent=2))
        return
    path = arguments.folder / f"maisi_{datetime.datetime.now():%Y%m%d_%H%M%S}.zip"
    path.write_bytes(body)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        print("\n".join(archive.namelist()))


if __name__ == "__main__":
    main()
