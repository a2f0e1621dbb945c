"""Sphinx's settings of the book; `publish.py` says language and address, and gathers the pages."""

import os
from importlib import metadata

LANGUAGE = os.environ["BOOK_LANGUAGE"]
REPOSITORY = os.environ.get("BOOK_REPOSITORY", "")  # where the project lies: links to Colab and Binder need it

project = "Lecture Viz"
author = "Lecture Viz"
version = release = metadata.version("lecture-viz")
language = {"zh": "zh_CN"}.get(LANGUAGE, LANGUAGE)
html_title = {"en": "Lecture Viz", "zh": "Lecture Viz · 可触摸的讲座"}[LANGUAGE]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "docstrings", "chinese"]
nb_execution_mode = "off"  # outputs are stored; `make notebooks` makes them
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "mathml.anchor"
html_math_renderer = "mathml"
html_search_language = LANGUAGE
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_use_ivar = True
default_role = "code"

templates_path = ["templates"]
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["book.css"]
html_js_files = ["film.js"]
html_copy_source = True  # a reader may take the notebook along
html_show_sourcelink = False
html_theme = "sphinx_book_theme"
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "navbar_persistent": [],
    "search_as_you_type": True,
}
if REPOSITORY:
    html_theme_options |= {
        "repository_url": REPOSITORY,
        "repository_branch": os.environ.get("BOOK_BRANCH", "main"),
        "path_to_docs": "notebooks" if LANGUAGE == "en" else f"notebooks/{LANGUAGE}",
        "use_repository_button": True,
        "launch_buttons": {
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }
html_sidebars = {"**": ["navbar-logo.html", "languages.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_context = {"languages": {"en": "English", "zh": "中文"}, "here": LANGUAGE, "default_mode": "auto"}
