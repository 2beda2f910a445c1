"""Whether the Service of ``ingress.service`` is as the file says; a part of the check config-ingress."""

from regmirror.config.ingress import IngressService
from regmirror.desired import names
from regmirror.desired.endpoint import node_port
from regmirror.desired.secret_contents import look_up
from regmirror.ports.cluster import SERVICE, Object
from regmirror.verify.check import Failed, Outcome, Passed
from regmirror.verify.hints import deploy, kubectl
from regmirror.verify.live_mirror import LiveMirror


def check_public_service(live: LiveMirror, service: IngressService) -> Outcome:
    """Whether the Service has the type and the ports of the file, and an address if it is a load balancer."""
    found = live.cluster.get(SERVICE, names.INGRESS)
    if found is None:
        return Failed(f"namespace {live.cluster.namespace} has no Service {names.INGRESS}", deploy(live))
    wanted = {"type": service.type, "port": live.mirror.port, "nodePort": node_port(live.mirror, service)}
    deployed = {"type": look_up(found, "spec", "type"), **_ports(found)}
    for key, value in wanted.items():
        if value and deployed.get(key) != value:
            message = f"the Service {names.INGRESS} has {key} {deployed.get(key) or 'none'} instead of {value}"
            return Failed(message, deploy(live))
    if service.type == "LoadBalancer":
        return _address(live, found)
    return Passed(f"NodePort {deployed['nodePort']}")


def _ports(service: Object) -> dict[str, int]:
    return dict((look_up(service, "spec", "ports") or [{}])[0])


def _address(live: LiveMirror, service: Object) -> Outcome:
    entries = look_up(service, "status", "loadBalancer", "ingress") or []
    addresses = [str(entry.get("hostname") or entry.get("ip")) for entry in entries]
    if not addresses:
        return Failed(
            f"the Service {names.INGRESS} has no address: no load balancer serves it yet",
            f"find the cause in its events: {kubectl(live)} describe service {names.INGRESS}",
        )
    return Passed(f"LoadBalancer {', '.join(addresses)}")
