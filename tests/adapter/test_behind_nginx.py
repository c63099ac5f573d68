"""The adapter behind Debian's nginx, set as its ingress controller is by docs/kubernetes.md."""

import json
import shutil
import subprocess
from contextlib import contextmanager

import httpx
import pytest

from tests.adapter.test_process import Process
from tests.ports import held_port
from tests.waiting import eventually

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(
    NGINX is None, reason="found no nginx, expected it: apt-get install nginx-light"
)
MIB = 1 << 20
WHOLE = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 1m;
    proxy_read_timeout 30s;
    location / {{
      proxy_pass {url};
      proxy_set_header X-Forwarded-For {forwarded};
    }}
  }}
}}
"""


@contextmanager
def behind(v2, folder, forwarded, **environment):
    """An adapter and nginx in front of it; gives a function that posts from an address."""
    adapter, port = Process(v2.url, ADAPTER_FOLLOW_CONTROL="false", **environment), held_port()
    config = folder / "nginx.conf"
    config.write_text(WHOLE.format(folder=folder, port=port, url=adapter.url, forwarded=forwarded))
    nginx = subprocess.Popen([NGINX, "-p", folder, "-c", config, "-e", folder / "error.log"])

    def post(source, body, **headers):
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as client:
            told = {"Content-Type": "application/json"} | headers
            url = f"http://127.0.0.1:{port}/predict"
            return client.post(url, content=body, headers=told, timeout=60).status_code

    def listens():
        try:
            return post("127.0.0.9", b"{}") == 422
        except httpx.TransportError:
            return False

    try:
        eventually(listens)
        yield post
    finally:
        for process in (nginx, adapter.process):
            process.kill()
            process.communicate()


@pytest.mark.parametrize("forwarded", ["$remote_addr", "$proxy_add_x_forwarded_for"])
def test_each_client_is_counted_by_the_address_that_nginx_saw(
    v2, processes, row, tmp_path, forwarded
):
    """Whether nginx appends to what a client has invented or replaces it."""
    settings = {
        "ADAPTER_RATE_LIMIT": "1/hour",
        "ADAPTER_TRUSTED_PROXY_HOPS": "1",
        "ADAPTER_TRUSTED_PROXIES": "127.0.0.1/32",
    }
    body = json.dumps({"rows": [row]}).encode()
    with behind(v2, tmp_path, forwarded, **settings) as post:
        first = [
            post("127.0.0.2", body, **{"X-Forwarded-For": f"203.0.113.{number}"})
            for number in range(2)
        ]
        assert first == [200, 429]
        assert post("127.0.0.3", body) == 200


def test_a_body_as_large_as_the_adapter_takes_gets_through(v2, processes, row, tmp_path):
    """1 MiB passes both; a byte more is refused."""
    body = json.dumps({"rows": [row]}).encode()
    with behind(v2, tmp_path, "$remote_addr") as post:
        assert post("127.0.0.2", body.ljust(MIB)) == 200
        assert post("127.0.0.2", body.ljust(MIB + 1)) == 413
