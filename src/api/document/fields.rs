//! The table of fields: which a struct has, and of which types they are.

use std::cmp::Ordering;

/// A line is a struct: `ServicePort: name=string port=int32! targetPort=intorstring`. A type is one of
/// JSON's or of the API's small ones, another line's name, `[]` and that of the items of a list, or `{}`
/// and that of the values of a map. Fields with a `!` are always there.
const TABLE: &str = include_str!("fields.txt");
/// The same of what components are configured by, which no API server knows.
///
/// Mirrors: `k8s.io/kube-scheduler/config/v1/types.go`.
const COMPONENTS: &str = include_str!("components.txt");

/// The fields of one struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields(&'static str);

/// A field of a struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    /// The name of its type.
    pub of: &'static str,
    /// Whether it is there even when nothing was said of it.
    pub is_required: bool,
}

impl Fields {
    /// Those of the struct `of`; none if the table does not have it.
    pub fn of(of: &str) -> Self {
        let of_component = || {
            let lines = COMPONENTS.lines().filter_map(|line| line.split_once(':'));
            lines.into_iter().find(|line| line.0 == of).map(|line| line.1)
        };
        Self(line_of(of).or_else(of_component).unwrap_or_default())
    }

    /// The name in the table of the type `name` in a `version` of its group; empty if it is not there.
    pub fn name_of(name: &str, version: &str) -> &'static str {
        let names = TABLE.lines().filter_map(|line| line.split(':').next());
        let matches = |own: &&str| match own.split_once('.') {
            Some((own_version, own)) => own_version == version && own == name,
            None => version == "v1" && *own == name,
        };
        names.into_iter().find(matches).unwrap_or_default()
    }

    /// The field called `name`.
    pub fn get(self, name: &str) -> Option<Field> {
        self.iter().find(|field| field.name == name)
    }

    /// All of them, by name.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        self.0.split_ascii_whitespace().filter_map(|field| {
            let (name, of) = field.split_once('=')?;
            let is_required = of.ends_with('!');
            Some(Field { name, of: of.trim_end_matches('!'), is_required })
        })
    }
}

/// What the table says of the struct `of`. Its lines are in order, and there are some for each Pod.
fn line_of(of: &str) -> Option<&'static str> {
    let mut rest = TABLE;
    while !rest.is_empty() {
        let (before, _) = rest.split_at_checked(rest.len() / 2)?;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let (before, after) = rest.split_at_checked(start)?;
        let (line, after) = after.split_once('\n')?;
        let (name, fields) = line.split_once(':')?;
        rest = match of.cmp(name) {
            Ordering::Less => before,
            Ordering::Equal => return Some(fields),
            Ordering::Greater => after,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_fields_of_a_struct() {
        let port = Fields::of("ServicePort");
        assert_eq!(port.get("port"), Some(Field { name: "port", of: "int32", is_required: true }));
        assert_eq!(port.get("targetPort").map(|field| field.of), Some("intorstring"));
        assert_eq!(port.get("ports"), None);
        assert_eq!(
            Fields::of("ServiceSpec").get("ports").map(|field| field.of),
            Some("[]ServicePort")
        );
        assert_eq!(Fields::of("Nothing").iter().count(), 0);
    }

    #[test]
    fn every_line_is_found() {
        for (name, fields) in TABLE.lines().filter_map(|line| line.split_once(':')) {
            assert_eq!(Fields::of(name), Fields(fields), "{name}");
        }
    }

    #[test]
    fn a_version_tells_types_of_one_name_apart() {
        assert_eq!(Fields::name_of("Service", "v1"), "Service");
        assert_eq!(Fields::name_of("HorizontalPodAutoscaler", "v2"), "v2.HorizontalPodAutoscaler");
        assert_eq!(Fields::name_of("HorizontalPodAutoscaler", "v1"), "HorizontalPodAutoscaler");
    }
}
