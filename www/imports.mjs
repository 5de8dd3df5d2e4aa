// The names by which the engine and its glue know each other: what they are does not matter, only that
// both use the same, and those that wasm-bindgen makes end in digits that nothing compresses.
import { number, Reader, SECTION, text, withSections } from "./binary.mjs";

/** As wasm-bindgen names what it imports: `__wbg_addEventListener_0123456789abcdef`. */
const MADE = /^__wbg_\w+_[0-9a-f]{16}$/;

/** The module in `bytes` with short names of imports, and those by the long ones. */
export function withShortImports(bytes) {
  const names = new Map();
  const shorter = (name) => {
    if (!MADE.test(name)) return name;
    if (!names.has(name)) names.set(name, `$${names.size.toString(36)}`);
    return names.get(name);
  };
  const short = withSections(bytes, ({ id, body }) => {
    if (id !== SECTION.import) return undefined;
    const renamed = imports(new Reader(bytes, body), shorter);
    return Buffer.concat([Uint8Array.of(id), number(renamed.length), renamed]);
  });
  return { bytes: short, names };
}

/** `script` with each of the `names` that it has as it is called now. */
export function renamed(script, names) {
  return script.replace(/__wbg_\w+_[0-9a-f]{16}/g, (name) => names.get(name) ?? name);
}

/** The section of imports that `reader` is at, with names as `shorter` has them. */
function imports(reader, shorter) {
  const count = reader.number();
  const parts = [number(count)];
  for (let left = count; left > 0; left -= 1) {
    parts.push(text(reader.text()), text(shorter(reader.text())));
    const start = reader.at;
    if (reader.byte() !== 0) throw new Error("an import that is no function");
    reader.number();
    parts.push(reader.bytes.subarray(start, reader.at));
  }
  return Buffer.concat(parts);
}
