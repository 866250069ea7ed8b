"""Maps the repository's rooms onto the `sightmix` package."""

from setuptools import find_packages, setup

ROOMS = ("engine", "plugin", "exporters", "ui")

packages = []
for room in ROOMS:
    packages.append(f"sightmix.{room}")
    packages += [f"sightmix.{room}.{name}" for name in find_packages(room)]

setup(
    packages=packages,
    package_dir={f"sightmix.{room}": room for room in ROOMS},
    package_data={name: ["py.typed", "*.json", "*.onnx", "*.safetensors", "*.html", "*.css", "*.txt"] for name in packages},
)
