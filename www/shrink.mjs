// Makes the published engine small: with Binaryen, as `wasm-opt` does, and with what only we can know.
import binaryen from "binaryen";
import { Reader, SECTION, sections } from "./binary.mjs";

/**
 * What tells of `jiff`'s errors in words. Nobody reads them: our decoder has Kubernetes' own words. Only
 * a panic in `jiff` could get there.
 */
const UNREAD = /^<&?jiff(_core)?::(.* as core::fmt::Debug|(error|util::escape|tz|fmt::offset)::.* as core::fmt::Display)>::fmt$/;

/**
 * Where panics begin. A published engine stops there at once: the page says so and keeps what was done,
 * and the same story in any other build tells what it was.
 */
const PANIC = new RegExp(
  [
    "^core::panicking::",
    "^core::(option|result)::(unwrap|expect)_failed$",
    "^core::(slice|str)::.*_fail(_rt)?$",
    "^core::cell::panic_",
    "^core::cell::lazy::panic_",
    "^std::panicking::(begin_panic|panic_with_hook)",
    "^std::thread::local::panic_",
    "^alloc::raw_vec::(handle_error|capacity_overflow)$",
    "^<?(alloc|hashbrown)::.*(assert_failed|capacity_overflow)$",
  ].join("|"),
);

/**
 * What comes later to the page, and would be part of its one caller, which is called for each Pod. It has to
 * stay by itself to come later.
 */
const APART =
  /^<podflow::(client::recorder::Recorder>::tell_of_series|scheduler::plugins::volumes::(binding::Volumes|limits::FullNodes)>::of\b)/;

/** The module in `bytes`, small, but for its names. */
export function shrunk(bytes) {
  binaryen.setDebugInfo(true); // Names, for the order below, and for what splits the module.
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  binaryen.setGenerateStackIR(true);
  binaryen.setOptimizeStackIR(true);
  // The stack ends below the first kilobyte, so every address is above: offsets fold into loads.
  binaryen.setLowMemoryUnused(true);
  const module = binaryen.readBinary(bytes);
  const apart = [];
  for (let index = 0; index < module.getNumFunctions(); index += 1) {
    const func = module.getFunctionByIndex(index);
    // Names have the hash of each crate.
    const name = binaryen.getFunctionInfo(func).name.replace(/\[[0-9a-f]+\]/g, "");
    if (UNREAD.test(name) || PANIC.test(name)) {
      binaryen.Function.setBody(func, module.unreachable());
    }
    if (APART.test(name)) apart.push(binaryen.getFunctionInfo(func).name);
  }
  for (const name of apart) {
    binaryen.setPassArgument("no-inline", name);
    module.runPasses(["no-inline"]);
  }
  module.optimize();
  module.optimize(); // What the first time has left bare.
  // Functions made of one source stand together, and compress well.
  module.runPasses(["merge-similar-functions", "coalesce-locals-learning", "reorder-functions-by-name"]);
  const small = module.emitBinary();
  module.dispose();
  return withoutPlaces(small);
}

const I32_CONST = 0x41;

/**
 * `bytes` without the places in the source that panics would tell of: a file's name, its length, a line
 * and a column each. There are a thousand of them, no two alike.
 */
function withoutPlaces(bytes) {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments = [...dataSegments(bytes)];
  const textAt = (address, length) => {
    const segment = segments.find((it) => it.address <= address && address + length <= it.address + it.length);
    const start = segment && segment.start + address - segment.address;
    return segment && new TextDecoder().decode(bytes.subarray(start, start + length));
  };
  for (const { address, start, length } of segments) {
    for (let at = start + (-address & 3); at + 16 <= start + length; at += 4) {
      const [file, fileLength, line, column] = [0, 4, 8, 12].map((offset) => words.getUint32(at + offset, true));
      const isPlace = fileLength > 3 && fileLength < 256 && line > 0 && line < 1e5 && column > 0 && column < 1e3;
      if (isPlace && textAt(file, fileLength)?.endsWith(".rs")) bytes.fill(0, at, at + 16);
    }
  }
  return bytes;
}

/** The segments of the data section: where in memory each goes, and where it is in `bytes`. */
function* dataSegments(bytes) {
  for (const { body } of [...sections(bytes)].filter(({ id }) => id === SECTION.data)) {
    const reader = new Reader(bytes, body);
    for (let left = reader.number(); left > 0; left -= 1) {
      const flags = reader.number();
      if (flags !== 0 || reader.byte() !== I32_CONST) throw new Error("a segment of data that is not placed by a number");
      const address = reader.number();
      reader.byte(); // The end of the expression.
      const length = reader.number();
      yield { address, start: reader.at, length };
      reader.at += length;
    }
  }
}
