"""Sphinx's search for Chinese asks the browser for a stemmer that it does not bring: it means the English one."""

from sphinx.application import Sphinx
from sphinx.search.zh import SearchChinese as Sphinxes


class SearchChinese(Sphinxes):
    """Words by jieba; of Latin words, English stems."""

    language_name = "English"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_search_language(SearchChinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
