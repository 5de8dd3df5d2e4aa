//! The runner for the rows of Tables.

use jiff::Timestamp;
use podflow::testing::api::columns::pod::Completed;
use podflow::testing::api::columns::service::Width;
use podflow::testing::api::columns::{self, Cell, Column, node, objects, pod, service};
use podflow::testing::api::wire::{Event, Node, Pod};
use podflow::testing::api::{Document, Kind};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Form, Outcome, read, same, text};

pub const FORMS: &[Form] = &[Form { file: "pod_columns", keys: &["kind", "cells"], run: row }];

type Table = (&'static [Column], Vec<Cell>);

fn row(file: &Value, case: &Value) -> Outcome {
    let now: Timestamp = read(case.get("now").unwrap_or(&file["now"]))?;
    let (columns, cells) = table(case, now)?;
    let names: Vec<String> = columns
        .iter()
        .map(|column| format!("{}{}", column.name, if column.priority == 0 { "" } else { "*" }))
        .collect();
    same("columns", &json!(names), &file["columns"][text(case, "kind")])?;
    same("cells in a row", &cells.len(), &columns.len())?;
    let wide = case["wide"] == true;
    let shown = columns.iter().zip(&cells).filter(|(column, _)| wide || column.priority == 0);
    let shown: Vec<Value> = shown.map(|(_, cell)| Value::from(cell)).collect();
    same("cells", &Value::Array(shown), &case["cells"])?;
    let condition = match text(case, "kind") {
        "Pod" => Completed::of(&object::<Pod>(case)?.status.unwrap_or_default()),
        _ => None,
    };
    let condition = condition.map(|Completed { reason, message }| {
        json!({"type": Completed::TYPE, "status": "True", "reason": reason, "message": message})
    });
    same("row condition", &condition.as_ref(), &case.get("row_condition"))
}

fn table(case: &Value, now: Timestamp) -> Result<Table, String> {
    Ok(match text(case, "kind") {
        "Pod" => {
            let Pod { metadata, spec, status } = object(case)?;
            let (spec, status) = (spec.unwrap_or_default(), status.unwrap_or_default());
            let node_name = spec.node_name.as_deref();
            (pod::COLUMNS, pod::row(&metadata, &spec, node_name, &status, now))
        }
        "Node" => {
            let Node { metadata, spec, status } = object(case)?;
            let (spec, status) = (spec.unwrap_or_default(), status.unwrap_or_default());
            (node::COLUMNS, node::row(&metadata, &spec, &status, now))
        }
        "Service" => {
            let width = if case["wide"] == true { Width::Wide } else { Width::Narrow };
            (service::COLUMNS, service::row(&document(case)?, width, now))
        }
        "Event" => (objects::EVENT, objects::event(&object::<Event>(case)?, now)),
        _ => {
            let document = document(case)?;
            (document.kind().columns(), columns::document(&document, now))
        }
    })
}

/// An object without a type of its own.
fn document(case: &Value) -> Result<Document, String> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.resource().name == text(case, "kind"));
    let decoded = Document::as_sent(kind.ok_or("no such kind")?, &case["object"]);
    decoded.map(|decoded| decoded.object).map_err(|error| error.to_string())
}

fn object<T: DeserializeOwned>(case: &Value) -> Result<T, String> {
    read(&case["object"])
}
