"""Every address, port and host name of the lab: data only.

The lab's network has no link to the host, so all instances use the same addresses.
"""

NODE_NAME = "lab"
NODE_ADDRESS = "10.213.0.2"
DOCKER_IO_ADDRESS = "10.213.0.3"
"""Another address of the node, because Traefik has port 443 of the first."""
NODE_INTERFACE = "node0"
POD_SUBNET = "10.214.0.0/24"
SERVICE_SUBNET = "10.215.0.0/16"
KUBERNETES_SERVICE_ADDRESS = "10.215.0.1"

CLUSTER_DOMAIN = "cluster.local"
LAB_DOMAIN = "lab.test"
MIRROR_HOST = f"mirror.{LAB_DOMAIN}"
HUB_HOST = f"hub.{LAB_DOMAIN}"
S3_HOST = f"s3.{LAB_DOMAIN}"
DOCKER_IO = "docker.io"
DOCKER_IO_TOKENS = f"auth.{DOCKER_IO}"

API_SERVER = f"https://{NODE_ADDRESS}:6443"
ETCD = "http://127.0.0.1:2379"
ETCD_PEERS = "http://127.0.0.1:2380"
DNS_READY = "127.0.0.1:8181"
TRAEFIK_PING = "127.0.0.1:8082"
S3_PORT = 9000
HUB_PORT = 5000
HUB_CONTROL = "127.0.0.1:5001"
HUB_STORAGE = "127.0.0.1:5002"
DOCKER_IO_CONTROL = "127.0.0.1:5003"
CERT_MANAGER_HEALTH = "127.0.0.1:9403"
