"""Maps the repository's rooms onto the `sightmix` package."""

from setuptools import find_packages, setup

ROOMS = ("engine", "plugin", "exporters", "ui")
DATA = [
    "py.typed",
    "*.html",
    "*.json",
    "*.lua",
    "cards/*",
    "files/*",
    "configs/*",
    "recipe/*",
    "delivery_specs/*",
    "shipped/*",
    "translations/*.qm",
]

FRONT = "plugin/front"  # what `import sightmix` itself gives

packages = ["sightmix"]
for room in ROOMS:
    packages.append(f"sightmix.{room}")
    packages += [f"sightmix.{room}.{name}" for name in find_packages(room, exclude=["front"])]

setup(
    packages=packages,
    package_dir={"sightmix": FRONT} | {f"sightmix.{room}": room for room in ROOMS},
    package_data={name: DATA for name in packages},
)
