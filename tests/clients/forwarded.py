"""Forwards a port by `kubectl port-forward` with these arguments, and fetches each of the paths before them.

    forwarded.py / /none -- pod/web :80
"""

import subprocess
import sys
from http.client import HTTPConnection, HTTPException

at = sys.argv.index("--")
paths, arguments = sys.argv[1:at], sys.argv[at + 1 :]
command = ["kubectl", "port-forward", "--address", "127.0.0.1", *arguments]
kubectl = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
line = kubectl.stdout.readline()
print(line, end="")
ends = True
if line.startswith("Forwarding from"):
    port = int(line.split(":")[1].split()[0])
    ends = False
    for path in paths:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path, headers={"User-Agent": "test"})
            answer = connection.getresponse()
            text = answer.read().decode()
            print(path, answer.status, answer.headers["Server"], len(text))
        except (HTTPException, OSError) as error:
            print(path, type(error).__name__)
            ends = True
        connection.close()
# When something cannot be forwarded, kubectl ends by itself.
if not ends:
    kubectl.terminate()
print(kubectl.stdout.read(), end="")
kubectl.wait()
