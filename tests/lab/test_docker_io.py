"""docker.io in the lab: trusted only by choice, it shows what reached it, and can refuse, hang or drop."""

import pytest
import urllib3

from lab import target_cluster
from lab.errors import LabError
from tests.e2e.docker_io import DOWN, HANGING, Credential, DockerIo, SeenRequest, Traffic, docker_io_of, sha256

pytestmark = pytest.mark.lab
NAMES = ["docker.io", "registry-1.docker.io", "auth.docker.io", "index.docker.io"]


@pytest.fixture
def docker_io() -> DockerIo:
    """docker.io, which has seen nothing yet."""
    try:
        found = docker_io_of(target_cluster.find())
    except LabError as error:
        pytest.skip(str(error))
    found.forget()
    return found


def client(docker_io: DockerIo) -> urllib3.PoolManager:
    return urllib3.PoolManager(ca_certs=str(docker_io.authority), retries=False, timeout=2)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_names_of_docker_hub(docker_io: DockerIo, name: str) -> None:
    answer = client(docker_io).request("GET", f"https://{name}/v2/library/demo/manifests/1")
    assert answer.status == 401
    assert 'realm="https://auth.docker.io/token"' in answer.headers["WWW-Authenticate"]


def test_it_serves_the_images_of_the_other_stand_in(docker_io: DockerIo) -> None:
    query = "service=registry.docker.io&scope=repository:library/demo:pull"
    token = client(docker_io).request("GET", f"https://auth.docker.io/token?{query}").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    manifest = "https://docker.io/v2/library/demo/manifests/1"
    assert client(docker_io).request("GET", manifest, headers=headers).status == 200
    issued = Credential("bearer", "", sha256(token))
    assert docker_io.what_docker_io_saw().requests == (
        SeenRequest("GET", "auth.docker.io", "/token"),
        SeenRequest("GET", "docker.io", "/v2/library/demo/manifests/1", (issued,)),
    )


def test_a_client_that_trusts_the_mirror_does_not_trust_docker_io(docker_io: DockerIo) -> None:
    authority = target_cluster.find().authority
    with pytest.raises(urllib3.exceptions.SSLError, match="certificate verify failed"):
        urllib3.PoolManager(ca_certs=str(authority), retries=False).request("GET", "https://docker.io/v2/")
    assert docker_io.what_docker_io_saw() == Traffic(connections=1)


def test_it_recognizes_a_password_without_storing_it(docker_io: DockerIo) -> None:
    form = {"username": "me", "password": "secret-of-the-test"}
    client(docker_io).request_encode_body("POST", "https://auth.docker.io/token", form, encode_multipart=False)
    seen = docker_io.what_docker_io_saw()
    assert seen.has("secret-of-the-test")
    assert not seen.has("another-secret")
    assert "secret-of-the-test" not in urllib3.request("GET", f"{docker_io.control}/state").data.decode()


def test_it_refuses_hangs_and_drops(docker_io: DockerIo) -> None:
    url = "https://docker.io/v2/"
    with docker_io.failing(DOWN), pytest.raises(urllib3.exceptions.NewConnectionError, match="refused"):
        client(docker_io).request("GET", url)
    with docker_io.failing(HANGING), pytest.raises(urllib3.exceptions.ReadTimeoutError):
        client(docker_io).request("GET", url)
    with docker_io.unreachable(), pytest.raises(urllib3.exceptions.ConnectTimeoutError):
        client(docker_io).request("GET", url)
    assert client(docker_io).request("GET", url).status == 401
