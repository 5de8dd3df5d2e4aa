// The engine's second part (see split.mjs): it comes as soon as the first has begun, and at once if it is
// wanted before that.

/** What brings the part at `address` at once. It imports what the first part does, and that `engine` itself. */
export function bringer(address, imports, engine) {
  let isThere = false;
  const begin = (module) => {
    if (!isThere) new WebAssembly.Instance(module, { ...imports, engine: engine() });
    isThere = true;
  };
  const prefetch = async () => {
    const answer = await fetch(address, { priority: "low" });
    if (answer.ok) begin(await WebAssembly.compile(await answer.arrayBuffer()));
  };
  // Who has no network now may have one when it is wanted.
  addEventListener("TrunkApplicationStarted", () => prefetch().catch(() => {}), { once: true });
  return () => {
    const request = new XMLHttpRequest();
    request.open("GET", address, false);
    request.overrideMimeType("text/plain; charset=x-user-defined"); // Bytes, as far as such a request can have them.
    request.send();
    if (request.status !== 200) throw new WebAssembly.RuntimeError("a part of the engine could not be loaded");
    begin(new WebAssembly.Module(Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0) & 0xff)));
  };
}
