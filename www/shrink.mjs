// Makes the published engine small: with Binaryen, as `wasm-opt` does, and with what only we can know.
import binaryen from "binaryen";

/**
 * What tells of `jiff`'s errors in words. Nobody reads them: our decoder has Kubernetes' own words. Only
 * a panic in `jiff` could get there, and the page shows the same for a trap as for a panic.
 */
const UNREAD = /\bjiff(_core)?\[.* as core.*::fmt::Debug>::fmt$/;

/** The module in `bytes`, small. */
export function shrunk(bytes) {
  binaryen.setDebugInfo(true); // Names, for the order below; they do not stay.
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  binaryen.setGenerateStackIR(true);
  binaryen.setOptimizeStackIR(true);
  // The stack ends below the first kilobyte, so every address is above: offsets fold into loads.
  binaryen.setLowMemoryUnused(true);
  const module = binaryen.readBinary(bytes);
  for (let index = 0; index < module.getNumFunctions(); index += 1) {
    const func = module.getFunctionByIndex(index);
    if (UNREAD.test(binaryen.getFunctionInfo(func).name)) binaryen.Function.setBody(func, module.unreachable());
  }
  module.optimize();
  // Functions made of one source stand together, and compress well.
  module.runPasses(["coalesce-locals-learning", "reorder-functions-by-name"]);
  binaryen.setDebugInfo(false);
  const small = module.emitBinary();
  module.dispose();
  return small;
}
