// WebAssembly's binary format, as far as we read and write it ourselves.

export const SECTION = { import: 2, data: 11, dataCount: 12 };

/** Where the sections begin. */
const HEADER = 8;

/** The sections of the module in `bytes`: which each is, where it begins, its body, and where it ends. */
export function* sections(bytes) {
  const reader = new Reader(bytes, HEADER);
  while (reader.at < bytes.length) {
    const start = reader.at;
    const id = reader.byte();
    const end = reader.number() + reader.at;
    yield { id, start, body: reader.at, end };
    reader.at = end;
  }
}

/** The module in `bytes` with each section as `change` makes it of what it was: bytes, or none. */
export function withSections(bytes, change) {
  const parts = [bytes.subarray(0, HEADER)];
  for (const section of sections(bytes)) {
    const whole = bytes.subarray(section.start, section.end);
    parts.push(change(section) ?? whole);
  }
  return Buffer.concat(parts);
}

/** Reads on from `at` in `bytes`. */
export class Reader {
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

/** A number as WebAssembly writes it. */
export function number(value) {
  const bytes = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Uint8Array.from([...bytes, value]);
}

/** A text as WebAssembly writes it. */
export function text(words) {
  const bytes = Buffer.from(words, "utf8");
  return Buffer.concat([number(bytes.length), bytes]);
}
