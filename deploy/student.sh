#!/bin/sh
# A student's server. Notebooks are copied to the student's own folder: those that are missing, never over work.
mkdir -p ~/lecture-viz/zh
notebooks=$(dirname "$0")/../notebooks
cp -n "$notebooks"/*.ipynb "$notebooks"/*.png ~/lecture-viz/
cp -n "$notebooks"/zh/*.ipynb ~/lecture-viz/zh/

export OMP_NUM_THREADS=1 # of each kernel: more would fight for the cores

# Sockets in place of ports: two servers that start in the same instant may choose the same port, and anybody on the
# machine can listen at one. A socket's path has at most 107 characters, which a folder in a long home would exceed.
JUPYTER_RUNTIME_DIR=$(mktemp -d)
export JUPYTER_RUNTIME_DIR
# Without the grammar into which half of the time of its imports goes (lecture_viz/machine/places.py).
single='import sys; sys.modules["rfc3987_syntax"] = None; from jupyterhub.singleuser import main; main()'
exec "$(dirname "$(command -v jupyterhub-singleuser)")/python3" -c "$single" --KernelManager.transport=ipc "$@"
