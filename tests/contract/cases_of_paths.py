"""Cases about paths: docker_auth answers on its index and its two token paths, and nowhere else."""

from .case import DEMO, DEMO_GRANT, TEXT, Case, auth, grant
from .configurations import ISSUER

INDEX_BODY = f"<h1>{ISSUER}</h1>\n"
INDEX_HEADERS = {"Content-Type": "text/html; charset=utf-8"}
UNKNOWN = ["/google_auth", "/github_auth", "/gitlab_auth", "/oidc_auth", "/auth/", "/auth/x", "/v2/", "//auth", "/Auth"]

PATHS = [
    Case("index", "mirror", "/", body=INDEX_BODY, answer_headers=INDEX_HEADERS),
    Case("index over TLS", "https", "/", body=INDEX_BODY, answer_headers=INDEX_HEADERS),
    Case("token over TLS", "https", auth(DEMO), access=[grant("library/demo")]),
    Case("/auth/token", "mirror", auth(DEMO).replace("/auth", "/auth/token"), access=DEMO_GRANT),
    *(Case(f"path {path}", "mirror", path, 404, body="Not found\n", answer_headers=TEXT) for path in UNKNOWN),
]
