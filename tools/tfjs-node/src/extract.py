"""Takes the C library and the headers that the addon includes out of a TensorFlow wheel: extract.py WHEEL FOLDER."""

import os
import re
import shutil
import sys
import zipfile

LIBRARY = re.compile(r"tensorflow/(libtensorflow_(?:cc|framework)\.so\.2)$")
HEADER = re.compile(r"tensorflow/(include/tensorflow/(?:c|tsl/c|tsl/platform|core/platform)/.*\.h)$")


def destination(name):
    """Where a member of the wheel goes below the folder, or None when it is not needed."""
    if library := LIBRARY.match(name):
        return os.path.join("lib", library[1])
    if header := HEADER.match(name):
        return header[1]
    return None


def main(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            below = destination(name)
            if below is None:
                continue
            path = os.path.join(folder, below)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(name) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)


main(*sys.argv[1:])
