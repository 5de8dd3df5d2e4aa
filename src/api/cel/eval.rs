//! What comes out of an expression.
//!
//! Mirrors: `cel-go/interpreter`, and how it counts costs.

use std::cmp::Ordering;
use std::rc::Rc;

use super::function::Function;
use super::library;
use super::meter::{Meter, Stop};
use super::value::{Map, Value};

/// A part of an expression.
#[derive(Debug)]
pub enum Node {
    Const(Value),
    Variable(Rc<str>),
    /// A field, or whether it is there.
    Select {
        of: Box<Node>,
        field: Rc<str>,
        is_test: bool,
    },
    OptionalField(Box<Node>, Rc<str>),
    OptionalMap {
        of: Box<Node>,
        variable: Rc<str>,
        body: Box<Node>,
        /// Whether what comes out becomes an optional value.
        wraps: bool,
    },
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Choice(Box<[Node; 3]>),
    Compare(fn(Ordering) -> bool, Box<[Node; 2]>),
    /// The functions that may be meant.
    Call(Vec<&'static Function>, Vec<Node>),
    /// Each item, and whether it is left out if it is not there.
    List(Vec<(Node, bool)>),
    Map(Vec<(Node, Node, bool)>),
    Loop(Box<Loop>),
}

/// Something that is asked of each item of a list, or each key of a map.
#[derive(Debug)]
pub struct Loop {
    pub over: Over,
    pub range: Node,
    pub variable: Rc<str>,
    pub when: Option<Node>,
    pub gives: Option<Node>,
}

/// What is asked of all items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    All,
    Exists,
    ExistsOne,
    /// What comes of those that are wanted.
    Map,
}

/// What comes out of `node` for these variables.
///
/// # Errors
///
/// There is no such thing, or it costs too much.
pub fn run(node: &Node, variables: &[(&str, Value)], meter: &mut Meter) -> Result<Value, Stop> {
    let variables =
        variables.iter().map(|(name, value)| (Rc::from(*name), value.clone())).collect();
    Machine { variables, meter }.eval(node)
}

struct Machine<'m> {
    /// Innermost last.
    variables: Vec<(Rc<str>, Value)>,
    meter: &'m mut Meter,
}

impl Machine<'_> {
    fn eval(&mut self, node: &Node) -> Result<Value, Stop> {
        match node {
            Node::Const(value) => Ok(value.clone()),
            Node::Variable(name) => self.variable(name),
            Node::Select { of, field, is_test } => self.select(of, field, *is_test),
            Node::OptionalField(of, field) => self.optional_field(of, field),
            Node::OptionalMap { of, variable, body, wraps } => {
                self.optional_map(of, variable, body, *wraps)
            }
            Node::And(both) => self.logic(both, false),
            Node::Or(both) => self.logic(both, true),
            Node::Choice(parts) => {
                let [when, one, two] = &**parts;
                match self.eval(when)? {
                    Value::Bool(true) => self.eval(one),
                    Value::Bool(false) => self.eval(two),
                    _ => Err(Stop::no_overload()),
                }
            }
            Node::Compare(says, both) => {
                let [one, two] = &**both;
                let (one, two) = (self.eval(one)?, self.eval(two)?);
                self.meter.spend(1)?;
                let is_nan = |it: &Value| matches!(it, Value::Double(number) if number.is_nan());
                if is_nan(&one) || is_nan(&two) {
                    return Ok(Value::Bool(false));
                }
                Ok(Value::Bool(says(library::order(self.meter, &one, &two)?)))
            }
            Node::Call(functions, arguments) => self.call(functions, arguments),
            Node::List(items) => self.list(items),
            Node::Map(entries) => self.map(entries),
            Node::Loop(of) => self.each(of),
        }
    }

    fn variable(&mut self, name: &str) -> Result<Value, Stop> {
        self.meter.spend(1)?;
        let found = self.variables.iter().rev().find(|(own, _)| **own == *name);
        let none = || Stop::failed(["no such attribute(s): ", name].concat());
        found.map(|(_, value)| value.clone()).ok_or_else(none)
    }

    fn select(&mut self, of: &Node, field: &Rc<str>, is_test: bool) -> Result<Value, Stop> {
        let held = self.eval(of)?;
        self.meter.spend(1)?;
        let none = || Stop::failed(["no such key: ", field].concat());
        match held {
            Value::Map(map) if is_test => Ok(Value::Bool(map.field(field).is_some())),
            Value::Map(map) => map.field(field).cloned().ok_or_else(none),
            Value::Optional(held) => {
                let found = match held.as_deref() {
                    Some(Value::Map(map)) => map.field(field).cloned(),
                    Some(_) => return Err(Stop::no_overload()),
                    None => None,
                };
                if is_test {
                    return Ok(Value::Bool(found.is_some()));
                }
                match (found, held.is_some()) {
                    (None, true) => Err(none()),
                    (found, _) => Ok(Value::optional(found)),
                }
            }
            _ => Err(Stop::no_overload()),
        }
    }

    fn optional_field(&mut self, of: &Node, field: &str) -> Result<Value, Stop> {
        let held = self.eval(of)?;
        self.meter.spend(1)?;
        let held = match &held {
            Value::Optional(None) => return Ok(held),
            Value::Optional(Some(held)) => held,
            held => held,
        };
        match held {
            Value::Map(map) => Ok(Value::optional(map.field(field).cloned())),
            _ => Err(Stop::no_overload()),
        }
    }

    fn optional_map(
        &mut self,
        of: &Node,
        variable: &Rc<str>,
        body: &Node,
        wraps: bool,
    ) -> Result<Value, Stop> {
        let Value::Optional(held) = self.eval(of)? else { return Err(Stop::no_overload()) };
        let Some(held) = held else { return Ok(Value::Optional(None)) };
        self.variables.push((Rc::clone(variable), Value::clone(&held)));
        let given = self.eval(body);
        self.variables.pop();
        Ok(if wraps { Value::optional(Some(given?)) } else { given? })
    }

    /// Whether both hold, or one: what one says is enough if it settles the matter, whatever is wrong
    /// with the other.
    fn logic(&mut self, both: &[Node; 2], settles: bool) -> Result<Value, Stop> {
        let [one, two] = both;
        let one = match self.eval(one) {
            Err(Stop::Cost) => return Err(Stop::Cost),
            Ok(Value::Bool(truth)) if truth == settles => return Ok(Value::Bool(settles)),
            other => other,
        };
        match (one, self.eval(two)) {
            (_, Err(Stop::Cost)) => Err(Stop::Cost),
            (_, Ok(Value::Bool(truth))) if truth == settles => Ok(Value::Bool(settles)),
            (Ok(Value::Bool(_)), Ok(Value::Bool(_))) => Ok(Value::Bool(!settles)),
            (Err(stop), _) | (Ok(Value::Bool(_)), Err(stop)) => Err(stop),
            (Ok(_), _) => Err(Stop::no_overload()),
        }
    }

    fn call(&mut self, functions: &[&'static Function], arguments: &[Node]) -> Result<Value, Stop> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.eval(argument)?);
        }
        self.meter.spend(1)?;
        let fitting = match functions {
            [only] => Some(only),
            several => several.iter().find(|function| function.takes(&values)),
        };
        // Looking for the one that fits looks at the items of lists.
        if functions.len() > 1 {
            let items: usize = values.iter().map(Value::size).sum();
            self.meter.read(items)?;
        }
        (fitting.ok_or_else(Stop::no_overload)?.run)(self.meter, &values)
    }

    fn list(&mut self, nodes: &[(Node, bool)]) -> Result<Value, Stop> {
        self.meter.spend(10)?;
        let mut items = Vec::with_capacity(nodes.len());
        for (node, is_optional) in nodes {
            items.extend(self.unless_absent(node, *is_optional)?);
        }
        Ok(items.into())
    }

    fn unless_absent(&mut self, node: &Node, is_optional: bool) -> Result<Option<Value>, Stop> {
        let value = self.eval(node)?;
        match value {
            value if !is_optional => Ok(Some(value)),
            Value::Optional(held) => Ok(held.map(|held| Value::clone(&held))),
            _ => Err(Stop::no_overload()),
        }
    }

    fn map(&mut self, nodes: &[(Node, Node, bool)]) -> Result<Value, Stop> {
        self.meter.spend(30)?;
        let mut entries: Vec<(Value, Value)> = Vec::with_capacity(nodes.len());
        for (key, node, is_optional) in nodes {
            let key = self.eval(key)?;
            if !matches!(key, Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Text(_)) {
                return Err(Stop::failed(["unsupported key type: ", key.type_name()].concat()));
            }
            if let Some(value) = self.unless_absent(node, *is_optional)? {
                self.meter.spend(entries.len())?;
                if entries.iter().any(|(own, _)| own.equals(&key)) {
                    return Err(Stop::failed("Failed with repeated key"));
                }
                entries.push((key, value));
            }
        }
        Ok(Value::Map(Rc::new(Map::new(entries))))
    }

    fn each(&mut self, of: &Loop) -> Result<Value, Stop> {
        let range = self.eval(&of.range)?;
        let mut run = Run { items: Vec::new(), count: 0, stop: None };
        match &range {
            Value::List(list) => {
                for item in &list.items {
                    if self.one(of, item, &mut run)? {
                        return Ok(Value::Bool(of.over == Over::Exists));
                    }
                }
            }
            Value::Map(map) => {
                for (key, _) in map.entries() {
                    if self.one(of, key, &mut run)? {
                        return Ok(Value::Bool(of.over == Over::Exists));
                    }
                }
            }
            _ => return Err(Stop::no_overload()),
        }
        if let Some(stop) = run.stop {
            return Err(stop);
        }
        Ok(match of.over {
            Over::All => Value::Bool(true),
            Over::Exists => Value::Bool(false),
            Over::ExistsOne => Value::Bool(run.count == 1),
            Over::Map => run.items.into(),
        })
    }

    /// Asks one item; whether that settles it all.
    fn one(&mut self, of: &Loop, item: &Value, run: &mut Run) -> Result<bool, Stop> {
        self.meter.spend(1)?;
        self.variables.push((Rc::clone(&of.variable), item.clone()));
        let settles = self.ask(of, run);
        self.variables.pop();
        settles
    }

    fn ask(&mut self, of: &Loop, run: &mut Run) -> Result<bool, Stop> {
        let truth = match &of.when {
            None => Ok(true),
            Some(when) => self.eval(when).and_then(|value| match value {
                Value::Bool(truth) => Ok(truth),
                _ => Err(Stop::no_overload()),
            }),
        };
        match (of.over, truth) {
            (_, Err(Stop::Cost)) => return Err(Stop::Cost),
            (Over::All, Ok(false)) | (Over::Exists, Ok(true)) => return Ok(true),
            // Another item may settle it.
            (Over::All | Over::Exists, Err(stop)) => {
                run.stop.get_or_insert(stop);
            }
            (Over::All, Ok(true)) | (_, Ok(false)) => {}
            (Over::ExistsOne | Over::Map, Err(stop)) => return Err(stop),
            (Over::ExistsOne, Ok(true)) => run.count += 1,
            (Over::Map, Ok(true)) => {
                if let Some(gives) = &of.gives {
                    let given = self.eval(gives)?;
                    run.items.push(given);
                }
            }
        }
        Ok(false)
    }
}

/// What is known after some of the items.
struct Run {
    items: Vec<Value>,
    count: usize,
    /// What went wrong with the first one that something was wrong with.
    stop: Option<Stop>,
}
