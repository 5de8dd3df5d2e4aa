// The names by which the engine and its glue know each other: what they are does not matter, only that
// both use the same, and those that wasm-bindgen makes end in digits that nothing compresses.

const IMPORT_SECTION = 2;
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
  const parts = [bytes.subarray(0, 8)];
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const start = reader.at;
    const section = reader.byte();
    const end = reader.number() + reader.at;
    if (section === IMPORT_SECTION) {
      const body = imports(reader, shorter);
      parts.push(Uint8Array.of(section), number(body.length), body);
    } else {
      parts.push(bytes.subarray(start, end));
    }
    reader.at = end;
  }
  return { bytes: Buffer.concat(parts), names };
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

class Reader {
  constructor(bytes, at) {
    Object.assign(this, { bytes, at });
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** A number as WebAssembly writes it: seven bits a byte, the lowest first. */
  number() {
    for (let [value, scale] = [0, 1]; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  text() {
    const length = this.number();
    this.at += length;
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString("utf8");
  }
}

function number(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

function text(words) {
  const bytes = Buffer.from(words, "utf8");
  return Buffer.concat([number(bytes.length), bytes]);
}
