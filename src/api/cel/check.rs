//! Whether an expression says something, and of what type; what does is made ready to be evaluated.
//!
//! Mirrors: `cel-go/checker`, with the checks of literals that Kubernetes asks for.

use std::rc::Rc;

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr,
};

use super::Program;
use super::eval::{Loop, Node, Over};
use super::function::Function;
use super::library;
use super::library::time;
use super::parse::{Problem, all_told, parse};
use super::types::Type;
use super::value::{Map, Value};
use crate::api::custom::Pattern;
use crate::api::duration::from_go;

/// Expressions in expressions, at most.
const DEEPEST: usize = 200;

/// What types are called in expressions.
const TYPES: [(&str, &str); 17] = [
    ("bool", "bool"),
    ("int", "int"),
    ("uint", "uint"),
    ("double", "double"),
    ("string", "string"),
    ("bytes", "bytes"),
    ("list", "list"),
    ("map", "map"),
    ("null_type", "null_type"),
    ("type", "type"),
    ("optional_type", "optional_type"),
    ("google.protobuf.Timestamp", "google.protobuf.Timestamp"),
    ("google.protobuf.Duration", "google.protobuf.Duration"),
    ("net.IP", "net.IP"),
    ("net.CIDR", "net.CIDR"),
    ("kubernetes.URL", "kubernetes.URL"),
    ("kubernetes.Quantity", "kubernetes.Quantity"),
];

/// Reads an expression that may speak of `variables`.
///
/// # Errors
///
/// It is none, in upstream's words.
pub fn compile(source: &str, variables: &[(&str, Type)]) -> Result<Program, String> {
    let tree = parse(source)?;
    let scope = variables.iter().map(|(name, of)| (Rc::from(*name), of.clone())).collect();
    let mut checker =
        Checker { scope, problems: Vec::new(), uses: Vec::new(), depth: 0, is_mixed: false };
    let (node, of) = checker.check(&tree);
    if checker.problems.is_empty() {
        Ok(Program { node, of, uses: checker.uses })
    } else {
        Err(all_told(source, &checker.problems))
    }
}

struct Checker {
    /// Innermost last.
    scope: Vec<(Rc<str>, Type)>,
    problems: Vec<Problem>,
    /// The names of variables that were met.
    uses: Vec<Rc<str>>,
    depth: usize,
    /// Whether a list that comes next may hold values of several types.
    is_mixed: bool,
}

impl Checker {
    fn problem(&mut self, id: u64, words: impl Into<String>) -> (Node, Type) {
        self.problems.push(Problem { id, words: words.into() });
        (Node::Const(Value::Null), Type::Dyn)
    }

    fn undeclared(&mut self, id: u64, name: &str) -> (Node, Type) {
        self.problem(id, format!("undeclared reference to '{name}' (in container '')"))
    }

    fn check(&mut self, tree: &IdedExpr) -> (Node, Type) {
        if self.depth > DEEPEST {
            return self.problem(tree.id, "expression recursion limit exceeded: 250");
        }
        self.depth += 1;
        let checked = match &tree.expr {
            Expr::Literal(literal) => literal_of(literal),
            Expr::Ident(name) => self.name(tree.id, name.strip_prefix('.').unwrap_or(name)),
            Expr::Select(select) => self.select(tree.id, select),
            Expr::Call(call) => self.call(tree.id, call),
            Expr::List(list) => self.list(list),
            Expr::Map(map) => self.map(map),
            Expr::Comprehension(loops) => self.comprehension(tree.id, loops),
            Expr::Struct(of) => self.undeclared(tree.id, &of.type_name),
            Expr::Unspecified => self.problem(tree.id, "unsupported expression"),
        };
        self.depth -= 1;
        checked
    }

    fn variable(&self, name: &str) -> Option<(Rc<str>, Type)> {
        self.scope.iter().rev().find(|(own, _)| **own == *name).cloned()
    }

    fn name(&mut self, id: u64, name: &str) -> (Node, Type) {
        if let Some((name, of)) = self.variable(name) {
            if !self.uses.contains(&name) {
                self.uses.push(Rc::clone(&name));
            }
            return (Node::Variable(name), of);
        }
        match TYPES.iter().find(|(own, _)| *own == name) {
            Some((_, of)) => (Node::Const(Value::Type(of)), Type::Type),
            None => self.undeclared(id, name),
        }
    }

    fn select(&mut self, id: u64, select: &SelectExpr) -> (Node, Type) {
        if let Some(name) = self.qualified(&select.operand.expr) {
            let name = [&name, ".", &select.field].concat();
            if TYPES.iter().any(|(own, _)| *own == name) {
                return self.name(id, &name);
            }
        }
        let (of, held) = self.check(&select.operand);
        let given = self.field(id, &held, &select.field);
        let field = Rc::from(select.field.as_str());
        let node = Node::Select { of: Box::new(of), field, is_test: select.test };
        (node, if select.test { Type::Bool } else { given })
    }

    /// The type of a field of what has a type.
    fn field(&mut self, id: u64, of: &Type, name: &str) -> Type {
        match of {
            Type::Object(fields) => match fields.get(name) {
                Some(field) => field.of.clone(),
                None => self.problem(id, format!("undefined field '{name}'")).1,
            },
            Type::Map(_, value) => Type::clone(value),
            Type::Optional(of) => Type::optional(self.field(id, of, name)),
            Type::Dyn => Type::Dyn,
            Type::Null
            | Type::Bool
            | Type::Int
            | Type::Uint
            | Type::Double
            | Type::Text
            | Type::Bytes
            | Type::Time
            | Type::Span
            | Type::List(_)
            | Type::Type
            | Type::Named(_) => {
                self.problem(id, format!("type '{of}' does not support field selection")).1
            }
        }
    }

    /// The name that an expression spells, if that is all, and no variable begins it.
    fn qualified(&self, of: &Expr) -> Option<String> {
        match of {
            Expr::Ident(name) if self.variable(name).is_none() => Some(name.clone()),
            Expr::Select(select) if !select.test => {
                let before = self.qualified(&select.operand.expr)?;
                Some([&before, ".", &select.field].concat())
            }
            _ => None,
        }
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> (Node, Type) {
        match (call.func_name.as_str(), call.args.as_slice()) {
            ("_&&_" | "_||_", [one, two]) => return self.logic(id, call, one, two),
            ("_?_:_", [when, one, two]) => return self.choice(id, when, one, two),
            ("_?._", [of, field]) => {
                if let Expr::Literal(LiteralValue::String(name)) = &field.expr {
                    return self.optional_field(id, of, name.inner());
                }
            }
            _ => {}
        }
        let Some(target) = &call.target else {
            let (nodes, types) = self.all(&call.args);
            return self.function(id, &call.func_name, false, nodes, &types);
        };
        if let Some(space) = self.qualified(&target.expr) {
            let name = [&space, ".", &call.func_name].concat();
            if library::named(&name, false).next().is_some() {
                let (nodes, types) = self.all(&call.args);
                return self.function(id, &name, false, nodes, &types);
            }
        }
        if let ("optMap" | "optFlatMap", [name, body]) = (&*call.func_name, call.args.as_slice()) {
            return self.optional_map(id, target, name, body, call.func_name == "optMap");
        }
        let (of, held) = self.check(target);
        self.is_mixed = call.func_name == "format";
        let (others, types) = self.all(&call.args);
        self.is_mixed = false;
        let nodes = [of].into_iter().chain(others).collect();
        let types: Vec<Type> = [held].into_iter().chain(types).collect();
        self.function(id, &call.func_name, true, nodes, &types)
    }

    fn all(&mut self, trees: &[IdedExpr]) -> (Vec<Node>, Vec<Type>) {
        trees.iter().map(|tree| self.check(tree)).unzip()
    }

    fn function(
        &mut self,
        id: u64,
        name: &str,
        is_member: bool,
        nodes: Vec<Node>,
        types: &[Type],
    ) -> (Node, Type) {
        if let Some(says) = library::comparison(name) {
            let known = library::COMPARED.iter();
            let fits = known.filter(|it| it.result(types).is_some()).count() > 0;
            return match <[Node; 2]>::try_from(nodes) {
                Ok(both) if fits => (Node::Compare(says, Box::new(both)), Type::Bool),
                Ok(_) | Err(_) => self.no_overload(id, name, is_member, types),
            };
        }
        let all: Vec<&'static Function> = library::named(name, is_member).collect();
        if all.is_empty() {
            return self.undeclared(id, name);
        }
        let mut fitting = Vec::new();
        let mut result: Option<Type> = None;
        for function in all {
            if let Some(gives) = function.result(types) {
                let is_same = result.as_ref().is_none_or(|own| *own == gives);
                result = Some(if is_same { gives } else { Type::Dyn });
                fitting.push(function);
            }
        }
        let Some(result) = result else {
            return self.no_overload(id, name, is_member, types);
        };
        self.literals(id, name, &nodes);
        (Node::Call(fitting, nodes), result)
    }

    fn no_overload(
        &mut self,
        id: u64,
        name: &str,
        is_member: bool,
        types: &[Type],
    ) -> (Node, Type) {
        let texts: Vec<String> = types.iter().map(ToString::to_string).collect();
        let applied = match texts.split_first() {
            Some((of, others)) if is_member => format!("{of}.({})", others.join(", ")),
            _ => format!("({})", texts.join(", ")),
        };
        self.problem(id, format!("found no matching overload for '{name}' applied to '{applied}'"))
    }

    /// What is written as it stands has to be what it is read as.
    fn literals(&mut self, id: u64, name: &str, nodes: &[Node]) {
        let Some(Node::Const(Value::Text(text))) = nodes.last() else { return };
        if name.starts_with("get") && nodes.len() == 2 && time::zone(text).is_none() {
            let words = "time zones are known by how far they are from UTC only";
            self.problem(id, format!("{words}: {text:?}"));
        }
        let is_wrong = match name {
            "matches" => Pattern::parse(text).is_err(),
            "duration" => from_go(text).is_err(),
            "timestamp" => text.parse::<jiff::Timestamp>().is_err(),
            _ => false,
        };
        if is_wrong {
            self.problem(id, format!("invalid {name} argument"));
        }
    }

    fn logic(&mut self, id: u64, call: &CallExpr, one: &IdedExpr, two: &IdedExpr) -> (Node, Type) {
        let (one, of_one) = self.check(one);
        let (two, of_two) = self.check(two);
        if !of_one.fits(&Type::Bool) || !of_two.fits(&Type::Bool) {
            return self.no_overload(id, &call.func_name, false, &[of_one, of_two]);
        }
        let both = Box::new([one, two]);
        (if call.func_name == "_&&_" { Node::And(both) } else { Node::Or(both) }, Type::Bool)
    }

    fn choice(&mut self, id: u64, when: &IdedExpr, one: &IdedExpr, two: &IdedExpr) -> (Node, Type) {
        let (when, of_when) = self.check(when);
        let (one, of_one) = self.check(one);
        let (two, of_two) = self.check(two);
        if !of_when.fits(&Type::Bool) || !of_one.fits(&of_two) {
            return self.no_overload(id, "_?_:_", false, &[of_when, of_one, of_two]);
        }
        let of = if of_one == Type::Null || of_two == Type::Dyn { of_two } else { of_one };
        (Node::Choice(Box::new([when, one, two])), of)
    }

    fn optional_field(&mut self, id: u64, of: &IdedExpr, name: &str) -> (Node, Type) {
        let (of, held) = self.check(of);
        let inner = match &held {
            Type::Optional(held) => Type::clone(held),
            held => held.clone(),
        };
        let given = self.field(id, &inner, name);
        (Node::OptionalField(Box::new(of), name.into()), Type::optional(given))
    }

    fn optional_map(
        &mut self,
        id: u64,
        of: &IdedExpr,
        name: &IdedExpr,
        body: &IdedExpr,
        wraps: bool,
    ) -> (Node, Type) {
        let Expr::Ident(variable) = &name.expr else {
            return self.problem(name.id, "optMap() variable name must be a simple identifier");
        };
        let (of, held) = self.check(of);
        let inner = match &held {
            Type::Optional(held) => Type::clone(held),
            Type::Dyn => Type::Dyn,
            held => {
                let words =
                    format!("found no matching overload for 'hasValue' applied to '{held}.()'");
                return self.problem(id, words);
            }
        };
        let variable: Rc<str> = variable.as_str().into();
        let (body, given) = self.with(&variable, inner, |checker| checker.check(body));
        let of_result = match given {
            given if wraps => Type::optional(given),
            given @ (Type::Optional(_) | Type::Dyn) => given,
            given => {
                let words = format!("expected type 'optional_type' but found '{given}'");
                return self.problem(id, words);
            }
        };
        (Node::OptionalMap { of: Box::new(of), variable, body: Box::new(body), wraps }, of_result)
    }

    fn with<T>(&mut self, variable: &Rc<str>, of: Type, check: impl FnOnce(&mut Self) -> T) -> T {
        self.scope.push((Rc::clone(variable), of));
        let checked = check(self);
        self.scope.pop();
        checked
    }

    fn list(&mut self, list: &ListExpr) -> (Node, Type) {
        let (mut nodes, mut of) = (Vec::new(), Type::Dyn);
        let is_mixed = std::mem::take(&mut self.is_mixed);
        for (number, item) in list.elements.iter().enumerate() {
            let is_optional = list.optional_indices.contains(&number);
            let (node, given) = self.check(item);
            let given = self.unless_optional(item.id, given, is_optional);
            if number == 0 {
                of = given;
            } else if !of.fits(&given) && !is_mixed {
                self.problem(item.id, format!("expected type '{of}' but found '{given}'"));
            }
            nodes.push((node, is_optional));
        }
        if is_mixed {
            of = Type::Dyn;
        }
        let constants = nodes.iter().map(|(node, is_optional)| match node {
            Node::Const(value) if !is_optional => Some(value.clone()),
            _ => None,
        });
        let node = match constants.collect::<Option<Vec<Value>>>() {
            Some(items) => Node::Const(items.into()),
            None => Node::List(nodes),
        };
        (node, Type::list(of))
    }

    fn unless_optional(&mut self, id: u64, given: Type, is_optional: bool) -> Type {
        match given {
            given if !is_optional => given,
            Type::Optional(held) => Type::clone(&held),
            Type::Dyn => Type::Dyn,
            other => {
                let words = format!("expected type 'optional_type({other})' but found '{other}'");
                self.problem(id, words).1
            }
        }
    }

    fn map(&mut self, map: &MapExpr) -> (Node, Type) {
        let (mut nodes, mut of) = (Vec::new(), None::<(Type, Type)>);
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else { continue };
            let (key, of_key) = self.check(&entry.key);
            let (value, of_value) = self.check(&entry.value);
            let of_value = self.unless_optional(entry.value.id, of_value, entry.optional);
            if let Some((known_key, known_value)) = &of {
                for (known, given, id) in [
                    (known_key.clone(), &of_key, entry.key.id),
                    (known_value.clone(), &of_value, entry.value.id),
                ] {
                    if !known.fits(given) {
                        let words = format!("expected type '{known}' but found '{given}'");
                        self.problem(id, words);
                    }
                }
            } else {
                of = Some((of_key, of_value));
            }
            nodes.push((key, value, entry.optional));
        }
        let (key, value) = of.unwrap_or((Type::Dyn, Type::Dyn));
        let node = if nodes.is_empty() {
            Node::Const(Value::Map(Rc::new(Map::default())))
        } else {
            Node::Map(nodes)
        };
        (node, Type::Map(Rc::new(key), Rc::new(value)))
    }

    /// What one of the macros `all`, `exists`, `exists_one`, `map` and `filter` became.
    fn comprehension(&mut self, id: u64, loops: &ComprehensionExpr) -> (Node, Type) {
        let (range, held) = self.check(&loops.iter_range);
        let item = match &held {
            Type::List(of) => Type::clone(of),
            Type::Map(key, _) => Type::clone(key),
            Type::Dyn => Type::Dyn,
            other => {
                let words = format!(
                    "expression of type '{other}' cannot be range of a comprehension (must be list, \
                     map, or dynamic)"
                );
                return self.problem(loops.iter_range.id, words);
            }
        };
        let Some((over, when, gives)) = shape(loops) else {
            return self.problem(id, "unsupported expression");
        };
        let variable: Rc<str> = loops.iter_var.as_str().into();
        let (when, gives, of) = self.with(&variable, item, |checker| {
            let when = when.map(|when| {
                let (node, of) = checker.check(when);
                if !of.fits(&Type::Bool) {
                    let name = match over {
                        Over::All => "_&&_",
                        Over::Exists => "_||_",
                        Over::ExistsOne | Over::Map => "_?_:_",
                    };
                    checker.no_overload(when.id, name, false, &[Type::Bool, of]);
                }
                node
            });
            let (gives, of) = match gives {
                None => (None, Type::Bool),
                Some(gives) => {
                    let (node, of) = checker.check(gives);
                    (Some(node), Type::list(of))
                }
            };
            (when, gives, of)
        });
        (Node::Loop(Box::new(Loop { over, range, variable, when, gives })), of)
    }
}

fn literal_of(literal: &LiteralValue) -> (Node, Type) {
    let (value, of) = match literal {
        LiteralValue::Null => (Value::Null, Type::Null),
        LiteralValue::Boolean(it) => (Value::Bool(*it.inner()), Type::Bool),
        LiteralValue::Int(it) => (Value::Int(*it.inner()), Type::Int),
        LiteralValue::UInt(it) => (Value::Uint(*it.inner()), Type::Uint),
        LiteralValue::Double(it) => (Value::Double(*it.inner()), Type::Double),
        LiteralValue::String(it) => (it.inner().into(), Type::Text),
        LiteralValue::Bytes(it) => (Value::Bytes(it.inner().into()), Type::Bytes),
    };
    (Node::Const(value), of)
}

/// The macro that a comprehension was, its condition, and what it gives of each item.
fn shape(loops: &ComprehensionExpr) -> Option<(Over, Option<&IdedExpr>, Option<&IdedExpr>)> {
    let Expr::Call(step) = &loops.loop_step.expr else { return None };
    match (step.func_name.as_str(), step.args.as_slice()) {
        ("_&&_", [_, when]) => Some((Over::All, Some(when), None)),
        ("_||_", [_, when]) => Some((Over::Exists, Some(when), None)),
        ("_+_", [_, one]) => Some((Over::Map, None, Some(only(one)?))),
        ("_?_:_", [when, then, _]) => {
            if matches!(loops.accu_init.expr, Expr::Literal(_)) {
                return Some((Over::ExistsOne, Some(when), None));
            }
            let Expr::Call(then) = &then.expr else { return None };
            let [_, one] = then.args.as_slice() else { return None };
            Some((Over::Map, Some(when), Some(only(one)?)))
        }
        _ => None,
    }
}

/// The only item of a list that is written out.
fn only(tree: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::List(list) = &tree.expr else { return None };
    let [one] = list.elements.as_slice() else { return None };
    Some(one)
}
