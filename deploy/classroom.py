"""JupyterHub's configuration for a class on one machine; The Littlest JupyterHub reads it, and so does the measurement.

The figures are chosen from benchmarks/CLASSROOM.md.
"""

c = get_config()  # noqa: F821  JupyterHub gives it

c.Spawner.cmd = ["/srv/lecture-viz/deploy/student.sh"]
c.Spawner.default_url = "/lab/tree/lecture-viz/00_start_here.ipynb"
c.Spawner.mem_limit = "2G"
c.Spawner.cpu_limit = 2
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # seconds: a whole class logs in at once
