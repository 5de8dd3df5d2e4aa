//! The arrows of the architecture: which module may import which.

use super::Problem;
use super::text::{Source, words};

/// The modules of the crate in layers, the lowest first. A module imports from below its own layer,
/// never from beside or above.
const LAYERS: &[&[&str]] = &[
    &["sim"],
    &["api"],
    &["apiserver", "client", "runtime"],
    &["scheduler", "controllers", "kubelet", "network", "kubectl"],
    &["cluster"],
    &["recording"],
    &["share"],
    &["ui", "js"],
];

/// The layer of the cluster, which knows every component.
const CLUSTER: usize = 4;
/// The layer of the page, which alone knows the platform.
const PAGE: usize = 7;
/// The last layer of the engine.
const ENGINE: usize = 6;

/// Files that hold the crate together and may import anything.
const WIRING: [&str; 4] = ["src/lib.rs", "src/main.rs", "src/platform.rs", "src/testing.rs"];

/// Whether the file at `path` belongs to the engine: plain data, no platform.
pub fn is_engine(path: &str) -> bool {
    module(path).and_then(|module| layer(&module)).is_some_and(|layer| layer <= ENGINE)
}

/// Every import in the file at `path` that goes against the arrows.
pub fn problems(path: &str, source: &Source<'_>) -> Vec<Problem> {
    if WIRING.contains(&path) {
        return Vec::new();
    }
    let Some(from) = module(path) else { return Vec::new() };
    if layer(&from).is_none() {
        return vec![Problem { line: 1, what: format!("{from} has no place among the layers") }];
    }
    imports(path, source)
        .into_iter()
        .filter_map(|(line, to)| {
            let what = refusal(&from, &to)?;
            Some(Problem { line, what: format!("{from} imports {to}: {what}") })
        })
        .collect()
}

/// Why `from` may not import `to`, if so.
fn refusal(from: &str, to: &str) -> Option<&'static str> {
    let from_layer = layer(from)?;
    if to == "platform" {
        return (from_layer < PAGE).then_some("only the page knows its platform");
    }
    if to == "testing" {
        return Some("that is for tests alone");
    }
    // A name that is no module of ours: what lib.rs re-exports, for those outside of the crate.
    let Some(to_layer) = layer(to) else {
        return Some("it is no module of the layers");
    };
    if from == to {
        return None;
    }
    if to_layer >= from_layer {
        return Some("the arrow goes the other way");
    }
    if to == "apiserver" && from_layer < CLUSTER {
        return Some("a component knows the API server by its requests alone");
    }
    if to == "runtime" && from_layer < CLUSTER && from != "kubelet" {
        return Some("the kubelet alone talks to its runtime");
    }
    None
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The crate's module that the file at `path` is part of.
fn module(path: &str) -> Option<String> {
    modules(path).into_iter().next()
}

/// The path of the module in the file at `path`.
fn modules(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    path.split('/').filter(|part| *part != "mod").map(ToOwned::to_owned).collect()
}

/// The crate's modules that the file at `path` names, each with its line.
fn imports(path: &str, source: &Source<'_>) -> Vec<(usize, String)> {
    let text = source.bare.join("\n");
    let depth = modules(path).len();
    let mut found = Vec::new();
    let crates = words(&text, "crate").map(|at| (at, at + "crate".len()));
    let supers =
        words(&text, "super").filter_map(|at| Some((at, root_by_super(&text, at, depth)?)));
    for (at, end) in crates.chain(supers) {
        // Macros of our own name it `$crate`, and `pub(crate)` is no path.
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let Some(rest) = text.get(end..).and_then(|rest| rest.strip_prefix("::")) else { continue };
        found.extend(first_names(rest).into_iter().map(|name| (line, name)));
    }
    found.sort();
    found
}

/// Where the chain `super::super…` that begins at `at` ends, if it climbs from `depth` to the root.
fn root_by_super(text: &str, at: usize, depth: usize) -> Option<usize> {
    let before = text.get(..at)?;
    let mut rest = text.get(at..)?;
    if before.ends_with("super::") {
        return None;
    }
    let (mut end, mut climbed) = (at, 0);
    while let Some(after) = rest.strip_prefix("super") {
        climbed += 1;
        end += "super".len();
        match after.strip_prefix("::") {
            Some(next) if next.starts_with("super") => {
                rest = next;
                end += 2;
            }
            Some(_) | None => break,
        }
    }
    (climbed == depth).then_some(end)
}

/// The first names of the paths in `rest`, which follows `crate::`: one, or those of a group.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut names = vec![name(group)];
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(group.get(at + 1..).unwrap_or_default())),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::{Source, is_engine, problems};

    fn lines(path: &str, text: &str) -> Vec<usize> {
        problems(path, &Source::new(text)).iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn arrows_go_down() {
        let good =
            "use crate::api::Pod;\nuse crate::{api::{Node, x}, sim::Instant};\nuse super::y;";
        assert!(lines("src/scheduler/queue.rs", good).is_empty());
        assert_eq!(lines("src/api/pod.rs", "\nuse crate::client::List;"), [2]);
        assert_eq!(lines("src/sim/mod.rs", "fn f() -> crate::api::Pod {}"), [1]);
        assert_eq!(lines("src/sim/mod.rs", "use crate::{\n    sim::{a, b},\n    api,\n};"), [1]);
    }

    #[test]
    fn siblings_and_private_talks_are_refused() {
        assert_eq!(lines("src/kubelet/mod.rs", "use crate::scheduler::Queue;"), [1]);
        assert_eq!(lines("src/kubelet/mod.rs", "use crate::apiserver::Store;"), [1]);
        assert_eq!(lines("src/scheduler/mod.rs", "use crate::runtime::Image;"), [1]);
        assert!(lines("src/kubelet/mod.rs", "use crate::runtime::Image;").is_empty());
        assert!(lines("src/cluster/mod.rs", "use crate::apiserver::ApiServer;").is_empty());
    }

    #[test]
    fn the_root_is_reached_by_super_as_well() {
        assert_eq!(lines("src/api/pod.rs", "use super::super::client::List;"), [1]);
        assert_eq!(lines("src/api/mod.rs", "use super::client::List;"), [1]);
        assert!(lines("src/api/pod.rs", "use super::client::List;").is_empty());
    }

    #[test]
    fn the_platform_is_the_pages_own() {
        assert_eq!(lines("src/sim/mod.rs", "use crate::platform::wall_clock;"), [1]);
        assert!(lines("src/ui/app.rs", "use crate::platform::wall_clock;").is_empty());
        assert_eq!(lines("src/ui/app.rs", "use crate::testing::x;"), [1]);
    }

    #[test]
    fn every_module_has_its_layer() {
        assert_eq!(lines("src/helpers/mod.rs", ""), [1]);
        assert_eq!(lines("src/sim/mod.rs", "use crate::helpers::x;"), [1]);
        assert!(is_engine("src/share/mod.rs") && !is_engine("src/ui/app.rs"));
        assert!(!is_engine("src/lib.rs"));
    }

    #[test]
    fn comments_and_tests_import_what_they_like() {
        let text = "//! [`crate::ui`]\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::ui;\n}";
        assert!(lines("src/sim/mod.rs", text).is_empty());
        assert!(lines("src/sim/mod.rs", "pub(crate) struct X;").is_empty());
    }
}
