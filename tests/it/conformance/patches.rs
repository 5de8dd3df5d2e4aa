//! Patches, and the table of how fields are patched.

use podflow::testing::api::patch::{
    BUILT_IN, Field, Schema, Strategy, json_patch, merge_patch, strategic_merge,
};
use serde_json::Value;

use super::{Form, Outcome, same, text};

/// The forms run here.
pub const FORMS: &[Form] = &[
    Form { file: "json_patch", keys: &["document", "patch", "kubernetes_differs"], run: json },
    Form { file: "merge_patch", keys: &[], run: merge },
    Form { file: "strategic_merge_patch", keys: &["type", "document", "patch"], run: strategic },
];

/// Compares a result with what the case wants, which may be an error.
fn outcome(got: Result<Value, String>, case: &Value) -> Outcome {
    let wants = case.get("kubernetes_differs").unwrap_or(case);
    match (got, wants.get("result")) {
        (Ok(got), Some(want)) => same("result", &got, want),
        (Ok(got), None) => Err(format!("got {got}, want an error")),
        (Err(error), Some(_)) => Err(error),
        (Err(_), None) => Ok(()),
    }
}

fn json(_: &Value, case: &Value) -> Outcome {
    let mut document = case["document"].clone();
    let result = json_patch(&mut document, &case["patch"]);
    outcome(result.map(|()| document).map_err(|error| error.to_string()), case)
}

fn merge(_: &Value, case: &Value) -> Outcome {
    let mut document = case["document"].clone();
    merge_patch(&mut document, case["patch"].clone());
    outcome(Ok(document), case)
}

/// The table beside the cases.
struct Table<'a>(&'a Value);

impl Schema for Table<'_> {
    fn field(&self, of: &str, name: &str) -> Field<'_> {
        let field = &self.0[of][name];
        let strategy = text(field, "strategy");
        let merges = strategy.contains("merge") && field["kind"] == "list"
            || strategy == "merge" && of == "MergeItem";
        Field {
            of: text(field, "type"),
            strategy: match strategy {
                "replace" => Strategy::Replace,
                _ if merges => Strategy::Merge,
                _ => Strategy::Default,
            },
            retain_keys: strategy.contains("retainKeys"),
            key: text(field, "key"),
        }
    }
}

fn strategic(file: &Value, case: &Value) -> Outcome {
    let of = text(case, "type");
    let table = Table(&file["types"]);
    let own = of.contains('.');
    let schema: &dyn Schema = if own { &BUILT_IN } else { &table };
    let (document, patch) = (case["document"].clone(), case["patch"].clone());
    let got = strategic_merge(document, patch, schema, of).map_err(|error| error.to_string());
    outcome(got, case)
}

#[test]
fn our_table_of_types_is_that_of_the_corpus() {
    let file = include_str!("../../data/corpus/api/strategic_merge_patch.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let table = Table(&file["types"]);
    let types = file["types"].as_object().unwrap();
    for (of, fields) in types.iter().filter(|(of, _)| of.contains('.')) {
        for name in fields.as_object().unwrap().keys() {
            assert_eq!(BUILT_IN.field(of, name), table.field(of, name), "{of}.{name}");
        }
    }
    // Types that the corpus does not have are ours alone.
    for (of, fields) in BUILT_IN.0 {
        let Some(theirs) = types.get(*of).and_then(Value::as_object) else { continue };
        assert_eq!(theirs.len(), fields.len(), "{of}");
    }
}
