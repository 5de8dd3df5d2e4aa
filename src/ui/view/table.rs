//! The objects of a kind as kubectl's table.

use std::cmp::Ordering;
use std::rc::Rc;

use jiff::Timestamp;

use crate::api::columns::Cell;
use crate::api::{Kind, Object};
use crate::sim::sort;

/// As many rows are drawn; the filter finds the others.
pub const MOST_ROWS: usize = 300;

/// A table of objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub kind: Kind,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
    /// How many rows match beyond those that are here.
    pub more: usize,
    /// How many objects there are of this kind.
    pub total: usize,
}

/// An object in a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub namespace: Rc<str>,
    pub name: Rc<str>,
    pub version: u64,
    pub cells: Vec<Cell>,
}

/// By which column rows go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// `None` leaves them as the API server lists them.
    pub column: Option<usize>,
    pub descending: bool,
}

impl Order {
    /// The order after a click on `column`: up, down, as listed.
    #[must_use]
    pub fn clicked(self, column: usize) -> Self {
        match self {
            Self { column: Some(now), descending: false } if now == column => {
                Self { column: Some(now), descending: true }
            }
            Self { column: Some(now), descending: true } if now == column => Self::default(),
            Self { .. } => Self { column: Some(column), descending: false },
        }
    }
}

/// The table of `objects`, all of `kind`, whose cells have `filter` in them.
pub fn table(kind: Kind, objects: &[Object], filter: &str, order: Order, now: Timestamp) -> Table {
    let shown: Vec<usize> = kind
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, column)| column.priority == 0)
        .map(|(at, _)| at)
        .collect();
    let namespaced = kind.resource().namespaced;
    let mut names: Vec<&'static str> = namespaced.then_some("Namespace").into_iter().collect();
    names.extend(shown.iter().filter_map(|at| kind.columns().get(*at)).map(|column| column.name));
    let filter = filter.trim().to_ascii_lowercase();
    let mut rows: Vec<Row> = objects
        .iter()
        .map(|object| {
            let all = object.row(now);
            let namespace = namespaced.then(|| Cell::from(object.namespace()));
            let kept = shown.iter().filter_map(|at| all.get(*at).cloned());
            Row {
                namespace: object.namespace().into(),
                name: object.name().into(),
                version: object.resource_version(),
                cells: namespace.into_iter().chain(kept).collect(),
            }
        })
        .filter(|row| {
            filter.is_empty()
                || row.cells.iter().any(|cell| cell.show().to_ascii_lowercase().contains(&filter))
        })
        .collect();
    if let Some(column) = order.column {
        let age = names.get(column) == Some(&"Age");
        sort::by(&mut rows, |one, two| {
            let by = if age {
                two.version.cmp(&one.version)
            } else {
                compare(one.cells.get(column), two.cells.get(column))
            };
            if order.descending { by.reverse() } else { by }
        });
    }
    let more = rows.len().saturating_sub(MOST_ROWS);
    rows.truncate(MOST_ROWS);
    Table { kind, columns: names, rows, more, total: objects.len() }
}

fn compare(one: Option<&Cell>, two: Option<&Cell>) -> Ordering {
    match (one, two) {
        (Some(Cell::Number(one)), Some(Cell::Number(two))) => one.cmp(two),
        (one, two) => {
            let text = |cell: Option<&Cell>| cell.map(Cell::show).unwrap_or_default();
            text(one).cmp(&text(two))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ObjectMeta, Pod};

    fn pod(name: &str) -> Object {
        let metadata = ObjectMeta {
            name: Some(name.into()),
            namespace: Some("default".into()),
            ..ObjectMeta::default()
        };
        Object::Pod(Rc::new(Pod { metadata, ..Pod::default() }))
    }

    fn names(filter: &str, order: Order) -> Vec<String> {
        let objects = [pod("b"), pod("a"), pod("web")];
        let table = table(Kind::Pod, &objects, filter, order, Timestamp::UNIX_EPOCH);
        table.rows.iter().map(|row| row.name.to_string()).collect()
    }

    #[test]
    fn columns_are_kubectls() {
        let table = table(Kind::Pod, &[pod("a")], "", Order::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(table.columns, ["Namespace", "Name", "Ready", "Status", "Restarts", "Age"]);
        assert!(table.rows.iter().all(|row| row.cells.len() == table.columns.len()));
    }

    #[test]
    fn rows_are_filtered_and_sorted() {
        assert_eq!(names("", Order::default()), ["b", "a", "web"]);
        assert_eq!(names("WEB", Order::default()), ["web"]);
        let up = Order::default().clicked(1);
        assert_eq!(names("", up), ["a", "b", "web"]);
        assert_eq!(names("", up.clicked(1)), ["web", "b", "a"]);
        assert_eq!(up.clicked(1).clicked(1), Order::default());
    }
}
