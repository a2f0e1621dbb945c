"""``python -m lecture_viz.presenter notebooks``: the lessons' panels full-screen, at http://127.0.0.1:8866."""

import argparse
import json
import os
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from voila.app import Voila

from .. import languages
from ..machine import places, warm_kernels
from .lessons import lessons, routes
from .own import choose


class Hall(JupyterHandler):
    """The page that holds the lesson on screen and, hidden, the next one."""

    def initialize(self, page: str) -> None:
        self.page = page

    @web.authenticated
    def get(self) -> None:
        _ = self.xsrf_token  # sets the cookie with which the hall may stop kernels
        self.finish(self.page)


class Presenter(Voila):
    """Voilà with the hall as its first page."""

    page = ""

    def random_ports(self, port: int, n: int) -> range:
        """Of the ports from this one on, the first that is free is taken; which, is said."""
        return range(port, min(port + n, 2**16))

    def init_handlers(self) -> list:
        return [(self.server_url, Hall, {"page": self.page}), *super().init_handlers()]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lecture_viz.presenter", description=__doc__)
    parser.add_argument("notebooks", type=Path, help="the folder of the lessons")
    parser.add_argument("--photo", help="another photo: a bundled name, or the path of a file")
    parser.add_argument(
        "--network",
        help="another network: an embedded or a torchvision name, or a .py file that makes net = lv.wrap(…)",
    )
    parser.add_argument("--language", default=languages.current(), choices=languages.LANGUAGES)
    parser.add_argument("--ip", default="127.0.0.1", help="address to listen on; any but loopback asks for a token")
    parser.add_argument("--port", type=int, default=8866, help="the next free one is taken instead of one in use")
    parser.add_argument("--token", help="ask for this token; root and other addresses ask for one anyway, '' for none")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    asked = arguments(argv)
    languages.use_language(asked.language)
    own = choose(asked.network, asked.photo)
    root = places.prepare()
    with tempfile.TemporaryDirectory() as folder:
        found = lessons(asked.notebooks, Path(folder))
        here = files(__package__)
        os.environ["JUPYTER_PATH"] = os.pathsep.join(
            filter(None, [str(here / "templates"), os.environ.get("JUPYTER_PATH")])
        )
        os.environ.update({"LECTURE_VIZ_LANGUAGE": asked.language, **own})  # the kernels read it
        page = (here / "hall.html").read_text(encoding="utf-8")
        told = {"LESSONS": found, "ROUTES": routes(found), "TEXTS": languages.texts()["hall"]}
        for name, data in told.items():
            page = page.replace(name, json.dumps(data))
        Presenter.page = page
        options = [folder, "--template=presenter", f"--Voila.ip={asked.ip}", f"--port={asked.port}"]
        options.append("--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension")  # not for Voilà
        options.append("--MappingKernelManager.cull_idle_timeout=1200")  # seconds; of pages that went without a word
        options.append("--VoilaConfiguration.show_tracebacks=True")  # who presents can mend it
        options.append("--VoilaConfiguration.progressive_rendering=True")  # the first panel is not to wait for the last
        options.append("--VoilaExecutor.iopub_timeout=120")  # seconds; with 4 a busy machine loses a panel's output
        options += ["--no-browser"] if asked.no_browser else []
        if asked.token:
            options.append(f"--Voila.token={asked.token}")
        elif asked.token is None and (root or asked.ip not in places.LOOPBACK):
            options.append("--Voila.auto_token=True")
        warm_kernels.offer()
        Presenter.launch_instance(options)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # what was asked for is not there
        sys.exit(f"{error}")
