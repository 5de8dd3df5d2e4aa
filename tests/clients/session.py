"""A session of the Python client: what a script does with a Pod, from its creation to its end."""

from kubernetes import client, config, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream as connected

config.load_kube_config()
core = client.CoreV1Api()
apps = client.AppsV1Api()

print("nodes:", *sorted(node.metadata.name for node in core.list_node().items))

pod = client.V1Pod(
    metadata=client.V1ObjectMeta(name="web", labels={"app": "web"}),
    spec=client.V1PodSpec(
        containers=[
            client.V1Container(
                name="main",
                image="busybox",
                command=["sh", "-c", "echo hello; sleep 1000"],
                resources=client.V1ResourceRequirements(requests={"cpu": "100m"}),
            )
        ]
    ),
)
core.create_namespaced_pod("default", pod)
phases = []
stream = watch.Watch()
for event in stream.stream(core.list_namespaced_pod, "default", timeout_seconds=60):
    phase = event["object"].status.phase
    if phase not in phases:
        phases.append(phase)
    if phase == "Running":
        stream.stop()
print("phases:", *phases)
print("log:", core.read_namespaced_pod_log("web", "default").strip())
ran = connected(
    core.connect_get_namespaced_pod_exec,
    "web",
    "default",
    command=["sh", "-c", "echo out; echo err >&2; exit 3"],
    stdout=True,
    stderr=True,
    _preload_content=False,
)
ran.run_forever(timeout=30)
print("exec:", ran.read_stdout().strip(), ran.read_stderr().strip(), ran.returncode)
shell = connected(
    core.connect_get_namespaced_pod_exec,
    "web",
    "default",
    command=["sh"],
    stdin=True,
    stdout=True,
    stderr=True,
    _preload_content=False,
)
shell.write_stdin("read x\nwords\necho $x; exit 2\n")
shell.run_forever(timeout=30)
print("typed:", shell.read_stdout().strip(), shell.returncode)

core.patch_namespaced_pod("web", "default", {"metadata": {"labels": {"tier": "front"}}})
found = core.list_namespaced_pod("default", label_selector="tier=front").items
print("labels:", found[0].metadata.labels)

try:
    core.create_namespaced_pod("default", pod)
except ApiException as error:
    print("again:", error.status, error.reason)

deployment = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop"}},
            "spec": {"containers": [{"name": "main", "image": "nginx"}]},
        },
    },
}
utils.create_from_dict(client.ApiClient(), deployment)
apps.patch_namespaced_deployment_scale("shop", "default", {"spec": {"replicas": 5}})
scale = apps.read_namespaced_deployment_scale("shop", "default")
print("replicas:", scale.spec.replicas)

page = core.list_node(limit=2)
rest = core.list_node(limit=2, _continue=page.metadata._continue)
print("pages:", len(page.items), len(rest.items))

eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name="web"))
core.create_namespaced_pod_eviction("web", "default", eviction)
for event in watch.Watch().stream(core.list_namespaced_pod, "default", timeout_seconds=60):
    if event["type"] == "DELETED":
        print("gone:", event["object"].metadata.name)
        break
