//! Values to documents: objects without a type of their own, read by the table of fields as others
//! are by their types, with the same errors and the same unknown fields.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{NodeAffinity, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::absent::{is_absent, may_be_absent};
use super::context::{Context, Fault, Known, Step, Struct};
use super::go_type;
use super::source::Source;
use super::typed::{Decoded, TypeError};
use crate::api::ObjectMeta;
use crate::api::document::Fields;
use crate::api::duration::from_go;
use crate::api::to_json;
use crate::api::wire::PodTemplateSpec;

/// A document's metadata and its other fields, but for `apiVersion` and `kind`.
pub type Parts = (ObjectMeta, Map<String, Value>);

/// The fields that objects of every kind have.
pub const OF_EVERY_KIND: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Decodes an object whose fields are those of the table's line `of`.
///
/// # Errors
///
/// A value has the wrong type. As upstream, only the first such value is reported.
pub fn decode_document(of: &'static str, value: &Value) -> Result<Decoded<Parts>, TypeError> {
    let mut context = Context::default();
    match document(&mut context, of, value) {
        Ok(object) => Ok(Decoded { object, unknown: context.unknown() }),
        Err(fault) => Err(context.type_error(fault)),
    }
}

/// Decodes an object of a kind that was defined: what its fields are is looked at elsewhere.
///
/// # Errors
///
/// Its metadata have a wrong type.
pub fn decode_custom(value: &Value) -> Result<Decoded<Parts>, TypeError> {
    let mut decoded = decode_document("", &only_meta(value))?;
    if let Value::Object(entries) = value {
        let (_, fields) = &mut decoded.object;
        for (key, value) in entries.iter().filter(|(key, _)| !OF_EVERY_KIND.contains(&key.as_str()))
        {
            fields.insert(key.clone(), value.clone());
        }
    }
    Ok(decoded)
}

fn only_meta(value: &Value) -> Value {
    let Value::Object(entries) = value else { return value.clone() };
    let mut meta = Map::new();
    for (key, value) in entries.iter().filter(|(key, _)| OF_EVERY_KIND.contains(&key.as_str())) {
        meta.insert(key.clone(), value.clone());
    }
    meta.into()
}

fn document<'de>(
    context: &mut Context<'de>,
    of: &'static str,
    value: &'de Value,
) -> Result<Parts, Fault> {
    let fields = Fields::of(of);
    let (mut metadata, mut read) = (ObjectMeta::default(), Map::new());
    let Value::Object(entries) = value else {
        return Err(Source { value: Some(value), context }.mismatch(&go_type::versioned(of)));
    };
    context.structs.push(Struct { name: own_name(of), fields: Known::Line(fields) });
    for (key, value) in entries {
        context.path.push(Step::Field(key));
        match key.as_str() {
            "apiVersion" | "kind" => {
                Source { value: Some(value), context }.text()?;
            }
            "metadata" => {
                metadata = ObjectMeta::deserialize(Source { value: Some(value), context })?;
            }
            _ => field(context, fields, (key, value), &mut read)?,
        }
        context.leave_step();
    }
    context.leave_struct();
    fill_up(fields, &mut read);
    read.remove("metadata");
    Ok((metadata, read))
}

/// Reads one field of a struct into what is `read` of it.
fn field<'de>(
    context: &mut Context<'de>,
    fields: Fields,
    (key, value): (&str, &'de Value),
    read: &mut Map<String, Value>,
) -> Result<(), Fault> {
    let Some(field) = fields.get(key) else {
        context.note_unknown();
        return Ok(());
    };
    let is_absent =
        is_absent(context.structure(), key, value) && may_be_absent(|| Some(field.of), key, value);
    if !is_absent {
        read.insert(key.to_owned(), self::value(context, field.of, value)?);
    }
    Ok(())
}

/// Sets the fields that Go always prints to nothing of their type.
fn fill_up(fields: Fields, read: &mut Map<String, Value>) {
    for field in fields.iter().filter(|field| field.is_required) {
        read.entry(field.name).or_insert_with(|| nothing(field.of));
    }
}

fn nothing(of: &'static str) -> Value {
    match of {
        "string" | "quantity" | "bytes" => "".into(),
        "bool" => false.into(),
        "int32" | "int64" | "intorstring" => 0.into(),
        // Selectors are pointers there, so that none is not the same as an empty one.
        "time" | "microtime" | "any" | "LabelSelector" => Value::Null,
        "meta" | "podtemplate" => Map::new().into(),
        _ if of.starts_with("[]") || of.starts_with("{}") => Value::Null,
        _ => {
            let mut read = Map::new();
            fill_up(Fields::of(of), &mut read);
            read.into()
        }
    }
}

fn value<'de>(
    context: &mut Context<'de>,
    of: &'static str,
    value: &'de Value,
) -> Result<Value, Fault> {
    if let Some(item) = of.strip_prefix("[]") {
        return list(context, of, item, value);
    }
    if let Some(item) = of.strip_prefix("{}") {
        return map(context, of, item, value);
    }
    let source = Source { value: Some(value), context };
    match of {
        "string" => source.text().map(Value::from),
        "bool" => source.boolean().map(Value::from),
        "intorstring" if value.is_string() => Ok(value.clone()),
        "int32" | "intorstring" => source.integer::<i32>("int32").map(Value::from),
        "int64" => source.integer::<i64>("int64").map(Value::from),
        "float32" if value.is_number() => Ok(value.clone()),
        "float32" => Err(source.mismatch("float32")),
        "quantity" => source.quantity().map(Value::from),
        "duration" => {
            let text = source.text()?;
            from_go(text).map(|_| Value::from(text)).map_err(Fault::other)
        }
        "time" => {
            source.check_form("Time")?;
            Time::deserialize(source).map(|time| to_json(&time))
        }
        "microtime" => {
            source.check_form("MicroTime")?;
            MicroTime::deserialize(source).map(|time| to_json(&time))
        }
        "bytes" if value.is_null() => Ok("".into()),
        "bytes" => ByteString::deserialize(source).map(|bytes| to_json(&bytes)),
        "any" => Ok(value.clone()),
        "meta" => ObjectMeta::deserialize(source).map(|it| to_json(&it)),
        "nodeaffinity" => NodeAffinity::deserialize(source).map(|it| to_json(&it)),
        "spreadconstraint" => TopologySpreadConstraint::deserialize(source).map(|it| to_json(&it)),
        "podtemplate" => PodTemplateSpec::deserialize(source).map(|it| to_json(&it)),
        _ => structure(context, of, value),
    }
}

/// Reads the field of a type that keeps it as JSON.
pub(super) fn fragment(source: Source<'_, '_>) -> Result<Value, Fault> {
    let Source { value, context } = source;
    let of = Fields::of(context.structure()).get(context.field()).map_or("any", |field| field.of);
    value.map_or(Ok(Value::Null), |value| self::value(context, of, value))
}

fn list<'de>(
    context: &mut Context<'de>,
    of: &'static str,
    item: &'static str,
    value: &'de Value,
) -> Result<Value, Fault> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let Value::Array(items) = value else {
        return Err(Source { value: Some(value), context }.mismatch(&go_type::of_table(of)));
    };
    let mut read = Vec::with_capacity(items.len());
    for (index, value) in items.iter().enumerate() {
        context.path.push(Step::Index(index));
        read.push(self::value(context, item, value)?);
        context.leave_step();
    }
    Ok(read.into())
}

fn map<'de>(
    context: &mut Context<'de>,
    of: &'static str,
    item: &'static str,
    value: &'de Value,
) -> Result<Value, Fault> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let Value::Object(entries) = value else {
        return Err(Source { value: Some(value), context }.mismatch(&go_type::of_table(of)));
    };
    let mut read = Map::new();
    for (key, value) in entries {
        context.path.push(Step::Key(key));
        read.insert(key.clone(), self::value(context, item, value)?);
        context.leave_step();
    }
    Ok(read.into())
}

fn structure<'de>(
    context: &mut Context<'de>,
    of: &'static str,
    value: &'de Value,
) -> Result<Value, Fault> {
    let fields = Fields::of(of);
    let mut read = Map::new();
    if let Value::Object(entries) = value {
        context.structs.push(Struct { name: own_name(of), fields: Known::Line(fields) });
        for (key, value) in entries {
            context.path.push(Step::Field(key));
            field(context, fields, (key, value), &mut read)?;
            context.leave_step();
        }
        context.leave_struct();
    } else if !value.is_null() {
        return Err(Source { value: Some(value), context }.mismatch(&go_type::versioned(of)));
    }
    fill_up(fields, &mut read);
    Ok(read.into())
}

/// A type's name in Go without its package: `MetricSpec` of `v2.MetricSpec`.
fn own_name(of: &'static str) -> &'static str {
    of.rsplit('.').next().unwrap_or(of)
}
