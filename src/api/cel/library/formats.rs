//! Forms that texts of the API have.
//!
//! Mirrors: `format.go` of `apiserver/pkg/cel/library`.

use super::{Function, Meter, Of, Stop, Value, global, member};
use crate::api::cel::url::Url;
use crate::api::names;

const FORMAT: Of = Of::Named("kubernetes.NamedFormat");

macro_rules! format {
    ($name:literal) => {
        global(concat!("format.", $name), &[], FORMAT, |_, _| Ok(Value::Format($name)))
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    format!("dns1123Label"),
    format!("dns1123Subdomain"),
    format!("dns1035Label"),
    format!("qualifiedName"),
    format!("dns1123LabelPrefix"),
    format!("dns1123SubdomainPrefix"),
    format!("dns1035LabelPrefix"),
    format!("labelValue"),
    format!("uri"),
    format!("uuid"),
    format!("byte"),
    format!("date"),
    format!("datetime"),
    global("format.named", &[Of::Text], Of::Optional(&FORMAT), |_, it| {
        let [Value::Text(name)] = it else { return Err(Stop::no_overload()) };
        let known = NAMES.iter().find(|own| **own == &**name);
        Ok(Value::optional(known.map(|name| Value::Format(name))))
    }),
    member("validate", &[FORMAT, Of::Text], Of::Optional(&Of::List(&Of::Text)), validate),
];

const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

fn validate(meter: &mut Meter, it: &[Value]) -> Result<Value, Stop> {
    let [Value::Format(name), Value::Text(text)] = it else { return Err(Stop::no_overload()) };
    meter.read(text.len())?;
    let prefix = || text.strip_suffix('-').map(|rest| [rest, "a"].concat());
    let prefix = || prefix().unwrap_or_else(|| text.to_string());
    let unless = |is: bool, words: &str| if is { Vec::new() } else { vec![words.to_owned()] };
    let wrong = match *name {
        "dns1123Label" => names::dns1123_label(text),
        "dns1123Subdomain" => names::dns1123_subdomain(text),
        "dns1035Label" => names::dns1035_label(text),
        "qualifiedName" => names::label_key(text),
        "dns1123LabelPrefix" => names::dns1123_label(&prefix()),
        "dns1123SubdomainPrefix" => names::dns1123_subdomain(&prefix()),
        "dns1035LabelPrefix" => names::dns1035_label(&prefix()),
        "labelValue" => names::label_value(text),
        "uri" => Url::parse(text).err().into_iter().collect(),
        "uuid" => unless(is_uuid(text), "does not match the UUID format"),
        "byte" => unless(is_base64(text), "invalid base64"),
        "date" => unless(text.parse::<jiff::civil::Date>().is_ok(), "invalid date"),
        _ => unless(text.parse::<jiff::Timestamp>().is_ok(), "invalid datetime"),
    };
    let wrong: Vec<Value> = wrong.into_iter().map(Value::from).collect();
    Ok(Value::optional((!wrong.is_empty()).then(|| wrong.into())))
}

fn is_uuid(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    let rest = text.bytes().filter(|byte| !byte.is_ascii_hexdigit());
    digits == 32 && rest.clone().count() <= 4 && rest.clone().all(|byte| byte == b'-')
}

fn is_base64(text: &str) -> bool {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).is_ok()
}
