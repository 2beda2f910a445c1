"""nginx as a process of the node that sends a file, and does nothing else: what this machine takes at least."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from bench.environment import Environment
from bench.processes import running
from bench.sides import Peer
from lab import addresses
from lab.sample_images import BIG_LAYER_BYTES

NAME = "nginx, a file"
PORT = 5603
CONFIGURATION = """\
daemon off;
master_process off;
pid {directory}/pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  fastcgi_temp_path {directory}/fastcgi;
  proxy_temp_path {directory}/proxy;
  scgi_temp_path {directory}/scgi;
  uwsgi_temp_path {directory}/uwsgi;
  keepalive_requests 100000;
  sendfile on;
  tcp_nopush on;
  server {{
    listen {address};
    root {directory}/files;
  }}
}}
"""


@contextmanager
def serving(env: Environment) -> Iterator[Peer]:
    """A file of the size of a layer, at /layer, for the duration of the block."""
    directory = env.directory / "plain"
    (directory / "files").mkdir(parents=True)
    (directory / "files/layer").write_bytes(random.randbytes(BIG_LAYER_BYTES))  # noqa: S311 - noise
    address = f"{addresses.NODE_ADDRESS}:{PORT}"
    file = directory / "nginx.conf"
    file.write_text(CONFIGURATION.format(directory=directory, address=address))
    with running(["nginx", "-e", "stderr", "-c", str(file)], f"http://{address}/layer", directory) as process:
        yield Peer(NAME, address, process)
