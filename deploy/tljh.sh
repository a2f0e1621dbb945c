#!/bin/sh
# The class on one machine: run `sudo sh deploy/tljh.sh`, where The Littlest JupyterHub is installed, in the project's
# folder; again after each change of the project.
set -eu
umask 022 # all may read what is shared, nobody but root may write it
cd "$(dirname "$0")/.."

/opt/tljh/user/bin/python -m pip install --constraint constraints.txt .
rm -rf /srv/lecture-viz
mkdir /srv/lecture-viz
cp -r deploy notebooks /srv/lecture-viz/
cp deploy/classroom.py /opt/tljh/config/jupyterhub_config.d/
tljh-config set services.cull.timeout 3600 # seconds: a student who listens keeps the kernel
tljh-config reload
