//! The paths by which a definition says where in its objects something stands: the columns of a table,
//! the number of replicas.
//!
//! Mirrors: `client-go/util/jsonpath`, as far as one value is looked for: fields, indexes, every item,
//! and items that have something.

use serde_json::Value;

/// A path into an object, such as `.status.conditions[?(@.type=="Ready")].status`.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// An item of a list, from its end if it is negative.
    Index(i64),
    Every,
    /// The items in which something is there, or is (or is not) equal to a value.
    Where(JsonPath, Option<(bool, Value)>),
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// It is none, or asks for more than one value can be found by.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text };
        let steps = reader.steps()?;
        if reader.rest.is_empty() {
            Ok(Self(steps))
        } else {
            Err(format!("unrecognized character in action: {:?}", reader.rest))
        }
    }

    /// The first value at the path in `value`.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        find(&self.0, value)
    }

    /// The fields that it goes through; none if it does more than that.
    pub fn fields(&self) -> Option<Vec<&str>> {
        let steps = self.0.iter();
        steps.map(|step| if let Step::Field(name) = step { Some(&**name) } else { None }).collect()
    }
}

fn find<'v>(steps: &[Step], value: &'v Value) -> Option<&'v Value> {
    let Some((step, steps)) = steps.split_first() else { return Some(value) };
    let items = || value.as_array().into_iter().flatten();
    match step {
        Step::Field(name) => find(steps, value.get(name)?),
        Step::Index(index) => {
            let items = value.as_array()?;
            let at = if *index < 0 {
                items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
            } else {
                usize::try_from(*index).ok()?
            };
            find(steps, items.get(at)?)
        }
        Step::Every => match value.as_object() {
            Some(entries) => entries.values().find_map(|value| find(steps, value)),
            None => items().find_map(|item| find(steps, item)),
        },
        Step::Where(path, wanted) => items()
            .filter(|item| match (path.find(item), wanted) {
                (found, None) => found.is_some(),
                (Some(found), Some((equal, value))) => (found == value) == *equal,
                (None, Some(_)) => false,
            })
            .find_map(|item| find(steps, item)),
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.eat("[") {
                steps.push(self.in_brackets()?);
            } else if self.eat(".") {
                let name = self.name();
                match name.as_str() {
                    "" if self.rest.starts_with('[') => {}
                    "" if self.eat("*") => steps.push(Step::Every),
                    // The whole object.
                    "" if steps.is_empty() => return Ok(steps),
                    "" => return Err(format!("unexpected end of a path at {:?}", self.rest)),
                    _ => steps.push(Step::Field(name)),
                }
            } else if steps.is_empty() {
                return Err("must be a simple json path starting with .".to_owned());
            } else {
                return Ok(steps);
            }
        }
    }

    fn eat(&mut self, what: &str) -> bool {
        let rest = self.rest.strip_prefix(what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A name of letters, in which a backslash keeps what has a meaning.
    fn name(&mut self) -> String {
        let mut name = String::new();
        let mut letters = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => name.extend(letters.next().map(|(_, kept)| kept)),
                '.' | '[' | ']' | ')' | '=' | '!' | ' ' | '*' => {
                    end = at;
                    break;
                }
                _ => name.push(letter),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        name
    }

    fn until(&mut self, end: &str) -> Result<&'t str, String> {
        let (inside, rest) =
            self.rest.split_once(end).ok_or_else(|| format!("unterminated {:?}", self.rest))?;
        self.rest = rest;
        Ok(inside)
    }

    fn in_brackets(&mut self) -> Result<Step, String> {
        if self.eat("?(@") {
            let path = JsonPath(self.steps()?);
            self.rest = self.rest.trim_start();
            let equal = if self.eat("==") {
                Some(true)
            } else if self.eat("!=") {
                Some(false)
            } else {
                None
            };
            let value = self.until(")]")?.trim();
            let wanted = equal.map(|equal| (equal, literal(value)));
            return Ok(Step::Where(path, wanted));
        }
        let inside = self.until("]")?.trim();
        if inside == "*" {
            return Ok(Step::Every);
        }
        if let Some(name) = quoted(inside) {
            return Ok(Step::Field(name.to_owned()));
        }
        inside.parse().map(Step::Index).map_err(|_error| format!("invalid array index {inside}"))
    }
}

fn quoted(text: &str) -> Option<&str> {
    ['\'', '"'].into_iter().find_map(|mark| text.strip_prefix(mark)?.strip_suffix(mark))
}

fn literal(text: &str) -> Value {
    match quoted(text) {
        Some(text) => text.into(),
        None => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_value_at_a_path_is_found() {
        let object = json!({
            "spec": {"replicas": 3, "hosts": ["a", "b"], "a.b/c": true, "ports": [{"port": 80}]},
            "status": {"conditions": [
                {"type": "Ready", "status": "True", "n": 1}, {"type": "Other", "status": "False"},
            ]},
        });
        for (path, wanted) in [
            (".spec.replicas", json!(3)),
            (".spec.hosts[0]", json!("a")),
            (".spec.hosts[-1]", json!("b")),
            (".spec.hosts[*]", json!("a")),
            (".spec['a.b/c']", json!(true)),
            (r".spec.a\.b/c", json!(true)),
            (".spec.ports[*].port", json!(80)),
            (r#".status.conditions[?(@.type=="Other")].status"#, json!("False")),
            (".status.conditions[?(@.type=='Ready')].status", json!("True")),
            (".status.conditions[?(@.type != 'Ready')].status", json!("False")),
            (".status.conditions[?(@.n == 1)].type", json!("Ready")),
            (".status.conditions[?(@.n)].type", json!("Ready")),
        ] {
            assert_eq!(JsonPath::parse(path).unwrap().find(&object), Some(&wanted), "{path}");
        }
        for path in [".spec.none", ".spec.hosts[2]", ".spec.hosts[-3]", ".spec.replicas.more"] {
            assert_eq!(JsonPath::parse(path).unwrap().find(&object), None, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "spec", ".spec[", ".spec[x]", ".spec..x", ".a[?(@.b=='c'", ".a b"] {
            assert!(JsonPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_plain_path_is_its_fields() {
        assert_eq!(
            JsonPath::parse(".spec.replicas").unwrap().fields(),
            Some(vec!["spec", "replicas"])
        );
        assert_eq!(JsonPath::parse(".spec.hosts[0]").unwrap().fields(), None);
    }
}
