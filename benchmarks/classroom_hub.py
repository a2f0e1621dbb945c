"""The configuration of the hub of `classroom`: what `deploy/` installs, on loopback, in the folder where it is started.

Where that is possible (root, and a Python that others may run), each student is a user of one's own, as in a class.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner

DEPLOY = Path(__file__).parents[1] / "deploy"
FIRST_USER = 20_000
folder = Path.cwd()


def users_of_their_own() -> bool:
    try:
        return subprocess.run([sys.executable, "-c", ""], user=FIRST_USER, cwd="/").returncode == 0
    except PermissionError:
        return False


class OwnUser(SimpleLocalProcessSpawner):
    """The simple spawner keeps all students' servers under one user; this one gives each a number of one's own."""

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        home, user = Path(self.home_dir), FIRST_USER + self.user.id

        def become() -> None:
            home.mkdir(0o700, exist_ok=True)
            os.chown(home, user, user)
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            os.chdir(home)

        return become


load_subconfig(str(DEPLOY / "classroom.py"))  # noqa: F821  JupyterHub gives it, and the next one
c = get_config()  # noqa: F821
c.Spawner.cmd = [str(DEPLOY / "student.sh")]

choices = json.loads((folder / "choices.json").read_text())
c.JupyterHub.bind_url = f"http://127.0.0.1:{choices['port']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{choices['hub_port']}"
c.ConfigurableHTTPProxy.command = [choices["proxy"]]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{choices['proxy_port']}"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = choices["password"]
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = OwnUser if users_of_their_own() else "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(folder / "homes" / "{username}")
c.Spawner.environment = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
if os.geteuid() == 0 and not users_of_their_own():
    c.Spawner.args = ["--allow-root"]
