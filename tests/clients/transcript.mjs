// Transcripts: commands, and what they are to print.
//
//     # a comment
//     $ kubectl get pods web
//     NAME   READY   STATUS    RESTARTS   AGE
//     web    1/1     Running   0          {}
//
// A command goes on in the next line after `\`, and takes the lines up to `EOF` if it ends with `<<EOF`.
// `{}` stands for what differs from run to run, `...` for any number of lines. Blanks are all the same,
// and so is how many there are. A command that fails prints `[exit 1]` at the end.

/** The commands in `text`, each with its line and the lines that it is to print. */
export function parse(text) {
  const steps = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (line.startsWith("$ ")) {
      const step = { line: at + 1, command: line.slice(2), wanted: [] };
      while (step.command.endsWith("\\")) step.command += `\n${lines[(at += 1)]}`;
      if (step.command.endsWith("<<EOF")) {
        do step.command += `\n${lines[(at += 1)]}`;
        while (lines[at] !== "EOF" && at < lines.length);
      }
      steps.push(step);
    } else if (line.trim() !== "" && !line.startsWith("#")) {
      steps.at(-1)?.wanted.push(line);
    }
  }
  return steps;
}

/** The lines of `output` in which something stands, with the exit code if it is not 0. */
export function printed({ output, code }) {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return code === 0 ? lines : [...lines, `[exit ${code}]`];
}

/** Whether the lines `got` are as `wanted` says. */
export function matches(wanted, got) {
  const [first, ...rest] = wanted;
  if (first === undefined) return got.length === 0;
  if (first.trim() === "...") return got.some((_, at) => matches(rest, got.slice(at))) || matches(rest, []);
  return got.length > 0 && pattern(first).test(plain(got[0])) && matches(rest, got.slice(1));
}

const plain = (line) => line.trim().replace(/\s+/g, " ");

function pattern(line) {
  const parts = plain(line).split("{}");
  const literal = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".+?")}$`);
}
