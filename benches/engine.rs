//! The engine's benches: `cargo xtask bench [filter]`.
//!
//! Each prints one line of JSON a result:
//! `{"bench":"…","where":"native","value":1.5,"unit":"s"}`. The same bench in the page, under the same
//! name, stands in `tests/browser/bench.mjs`.

#![expect(clippy::print_stdout, reason = "printing is how a bench reports")]
#![expect(clippy::disallowed_types, reason = "a bench measures real time, not the engine's")]

use std::hint::black_box;
use std::time::Instant;

/// A bench: what it is called and how it measures.
struct Bench {
    name: &'static str,
    unit: &'static str,
    measure: fn() -> f64,
}

const BENCHES: &[Bench] = &[Bench {
    // The scale of everything else: how fast this machine is just now.
    name: "machine",
    unit: "ns/step",
    measure: || per_iteration(10_000_000, |step| step.wrapping_mul(0x5851_f42d_4c95_7f2d) + 1),
}];

fn main() {
    // Cargo adds options of its own; what remains is the filter.
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with("--")).unwrap_or_default();
    for bench in BENCHES.iter().filter(|bench| bench.name.contains(&filter)) {
        let (name, unit, value) = (bench.name, bench.unit, (bench.measure)());
        println!(r#"{{"bench":"{name}","where":"native","value":{value},"unit":"{unit}"}}"#);
    }
}

/// Nanoseconds for one of `count` steps, each of which takes the result of the one before.
fn per_iteration(count: u32, step: impl Fn(u64) -> u64) -> f64 {
    let begin = Instant::now();
    let mut value = 1;
    for _ in 0..count {
        value = step(black_box(value));
    }
    black_box(value);
    begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}
