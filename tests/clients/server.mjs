// The example server for one test, and a shell in which its clients are at hand.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** The example's program, and the folder in which pip has put the clients. */
const program = resolve(root, process.env.PODFLOW_APISERVER ?? "target/debug/examples/apiserver");
const clients = resolve(root, process.env.PODFLOW_CLIENTS ?? "target/tools/clients");

/** Starts a cluster of three nodes, whose time goes ten times as fast as ours. */
export async function start() {
  const home = await mkdtemp(join(tmpdir(), "podflow-"));
  const kubeconfig = join(home, "kubeconfig");
  const args = ["--port", "0", "--secure-port", "0", "--gear", "10", "--kubeconfig", kubeconfig];
  const server = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: server.stdout });
  // The last line comes when both doors are open.
  await new Promise((done, failed) => {
    lines.on("line", (line) => line.startsWith("kubectl") && done());
    server.once("exit", (code) => failed(new Error(`the server has ended with ${code}`)));
    server.once("error", failed);
  });
  const env = {
    ...process.env,
    HOME: home,
    KUBECONFIG: kubeconfig,
    PATH: [join(clients, "bin"), process.env.PATH].join(delimiter),
    PYTHONPATH: clients,
    KUBECTL_EXTERNAL_DIFF: "diff -u",
  };
  return {
    /** What a command prints to both of its streams, and how it ends; it has a minute. */
    run: (command) =>
      new Promise((done) => {
        const options = { cwd: root, env, timeout: 60_000, maxBuffer: 1 << 24 };
        execFile("bash", ["-c", `{ ${command}\n} 2>&1`], options, (error, output) => {
          done({ output, code: error === null ? 0 : (error.code ?? error.signal) });
        });
      }),
    close: async () => {
      server.kill();
      await rm(home, { recursive: true, force: true });
    },
  };
}
