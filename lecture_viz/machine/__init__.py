"""Is this machine ready, where may Jupyter write on it, and JupyterLab as it suits it."""

from .report import Finding, Report, check

__all__ = ["Finding", "Report", "check"]
