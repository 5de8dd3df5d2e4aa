"""Ports of the Pod `web`, as the Python client forwards them: each is one connection."""

from kubernetes import client, config
from kubernetes.stream import portforward

config.load_kube_config()
core = client.CoreV1Api()
ports = portforward(
    core.connect_get_namespaced_pod_portforward, "web", "default", ports="80,81"
)
web = ports.socket(80)
web.setblocking(True)
web.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nUser-Agent: python\r\nConnection: close\r\n\r\n")
answer = b""
while piece := web.recv(1024):
    answer += piece
web.close()
print(answer.decode().splitlines()[0])
print("80:", ports.error(80))
print("81:", ports.error(81))
