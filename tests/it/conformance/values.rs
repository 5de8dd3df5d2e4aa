//! Runners for values written as text: quantities, selectors, names, durations.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use podflow::testing::api::field::{FieldError, Path};
use podflow::testing::api::fields::{self, FieldOperator, FieldSelector};
use podflow::testing::api::labels::{Requirement, Selector};
use podflow::testing::api::quantity::{Format, Quantity, QuantityError};
use podflow::testing::api::{duration, names};
use serde_json::{Value, json};

use super::{Form, Outcome, read, same, text};

pub const FORMS: &[Form] = &[
    Form { file: "quantity", keys: &["op", "canonical"], run: quantity },
    Form { file: "label_selectors", keys: &[], run: label_selector },
    Form { file: "field_selectors", keys: &[], run: field_selector },
    Form { file: "durations", keys: &["op", "text"], run: human_duration },
    Form { file: "names", keys: &["rule", "value"], run: name },
];

fn quantity(_: &Value, case: &Value) -> Outcome {
    let parse = |key: &str| {
        let input = text(case, key);
        Quantity::parse(input).map_err(|error| format!("{input:?} is refused: {error}"))
    };
    match text(case, "op") {
        "parse" => {
            let got = parse("input")?;
            same("value", &decimal(&got).as_str(), &text(case, "value"))?;
            same("format", &format_name(got.format()), &text(case, "format"))?;
            canonical(&got, case)?;
            let number =
                |key: &str, got: i64| case[key].as_i64().map_or(Ok(()), |n| same(key, &got, &n));
            number("int_value", got.value())?;
            number("milli_value", got.milli_value())
        }
        "invalid" => {
            let Err(error) = Quantity::parse(text(case, "input")) else {
                return Err("accepted".to_owned());
            };
            let kind = match error {
                QuantityError::Format => "format",
                QuantityError::Numeric => "numeric",
                QuantityError::Suffix => "suffix",
            };
            case["error"].as_str().map_or(Ok(()), |want| same("error", &kind, &want))
        }
        "cmp" => {
            let result = match parse("a")?.cmp(&parse("b")?) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            };
            same("result", &Some(result), &case["result"].as_i64())
        }
        "add" => {
            let mut sum = parse("a")?;
            sum.add(&parse("b")?);
            canonical(&sum, case)
        }
        "sub" => {
            let mut difference = parse("a")?;
            difference.sub(&parse("b")?);
            canonical(&difference, case)
        }
        "round_up" => {
            let mut got = parse("input")?;
            let exact = got.round_up(read(&case["scale"])?);
            same("exact", &Some(exact), &case["exact"].as_bool())?;
            same("value", &decimal(&got).as_str(), &text(case, "value"))
        }
        "json" => {
            let got =
                Quantity::from_json(text(case, "input")).map_err(|error| error.to_string())?;
            canonical(&got, case)
        }
        "format" => canonical(&of_parts(case)?, case),
        "scaled_value" => {
            let got = of_parts(case)?.scaled_value(read(&case["scale"])?);
            same("result", &Some(got), &case["result"].as_i64())
        }
        op => Err(format!("no such op: {op}")),
    }
}

fn of_parts(case: &Value) -> Result<Quantity, String> {
    let format = match text(case, "format") {
        "DecimalExponent" => Format::DecimalExponent,
        "BinarySI" => Format::BinarySi,
        _ => Format::DecimalSi,
    };
    let unscaled = text(case, "unscaled").parse().map_err(|error| format!("unscaled: {error}"))?;
    Ok(Quantity::scaled(unscaled, read(&case["exp10"])?, format))
}

fn canonical(got: &Quantity, case: &Value) -> Outcome {
    same("canonical", &got.to_string().as_str(), &text(case, "canonical"))
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::DecimalExponent => "DecimalExponent",
        Format::BinarySi => "BinarySI",
        Format::DecimalSi => "DecimalSI",
    }
}

/// The amount as a plain decimal number.
fn decimal(quantity: &Quantity) -> String {
    let (value, scale) = quantity.unscaled();
    let sign = if value < 0 { "-" } else { "" };
    let mut digits = value.unsigned_abs().to_string();
    if value == 0 {
        return digits;
    }
    if let Ok(zeros) = usize::try_from(scale) {
        digits.push_str(&"0".repeat(zeros));
        return format!("{sign}{digits}");
    }
    let places = usize::try_from(scale.unsigned_abs()).unwrap();
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{dot}{fraction}")
}

fn label_selector(_: &Value, case: &Value) -> Outcome {
    let parse = || Selector::parse(text(case, "selector")).map_err(|error| error.to_string());
    let object = || -> Result<Selector, String> {
        let object: Option<_> = read(&case["labelSelector"])?;
        Selector::from_object(object.as_ref()).map_err(|error| error.to_string())
    };
    let matches = |selector: &Selector| -> Outcome {
        let labels: BTreeMap<_, _> = read(&case["labels"])?;
        same("match", &Some(selector.matches(Some(&labels))), &case["match"].as_bool())
    };
    match text(case, "op") {
        "parse" => {
            let got = parse()?;
            let requirements = got.requirements().iter().map(|requirement| {
                let mut shown = json!({
                    "key": requirement.key(), "operator": requirement.operator().as_str(),
                });
                if !requirement.values().is_empty() {
                    shown["values"] = json!(requirement.values());
                }
                shown
            });
            same("requirements", &Value::Array(requirements.collect()), &case["requirements"])?;
            same("canonical", &got.to_string().as_str(), &text(case, "canonical"))
        }
        "invalid" => refused(parse()),
        "match" => matches(&parse()?),
        "requirement" => {
            let values: Vec<String> = read(&case["values"])?;
            let (key, operator) = (text(case, "key"), text(case, "operator"));
            let got = Requirement::from_text(key, operator, values, None);
            let errors = got.err().unwrap_or_default().into_iter().map(|error| {
                let body = error.body();
                json!({"field": error.field, "type": body.split(':').next().unwrap_or_default()})
            });
            same("errors", &Value::Array(errors.collect()), &case["errors"])
        }
        "object" => {
            let got = object()?;
            let got = (got != Selector::Nothing).then(|| got.to_string());
            same("canonical", &json!(got), &case["canonical"])
        }
        "object_invalid" => refused(object()),
        "object_match" => matches(&object()?),
        op => Err(format!("no such op: {op}")),
    }
}

fn field_selector(_: &Value, case: &Value) -> Outcome {
    let parse = || FieldSelector::parse(text(case, "selector")).map_err(|error| error.to_string());
    match text(case, "op") {
        "parse" => {
            let got = parse()?;
            let terms = got.terms().iter().map(|term| {
                let operator = match term.operator {
                    FieldOperator::Equals => "=",
                    FieldOperator::NotEquals => "!=",
                };
                json!({"field": term.field, "operator": operator, "value": term.value})
            });
            same("terms", &Value::Array(terms.collect()), &case["terms"])?;
            same("canonical", &got.to_string().as_str(), &text(case, "canonical"))
        }
        "invalid" => refused(parse()),
        "match" => {
            let has = |field: &str| Some(case["fields"].get(field)?.as_str()?.into());
            same("match", &Some(parse()?.matches(has)), &case["match"].as_bool())
        }
        "split" => {
            same("terms", &json!(fields::split_terms(text(case, "selector"))), &case["terms"])
        }
        "term" => match fields::split_term(text(case, "term")) {
            Some((lhs, operator, rhs)) => {
                same("ok", &json!(true), &case["ok"])?;
                let got = [lhs, operator, rhs];
                same("parts", &got, &["lhs", "operator", "rhs"].map(|key| text(case, key)))
            }
            None => same("ok", &json!(false), &case["ok"]),
        },
        "escape" => same("escaped", &&*fields::escape(text(case, "value")), &text(case, "escaped")),
        "unescape_error" => refused(fields::unescape(text(case, "escaped"))),
        "supported_fields" => {
            let got = fields::supported_fields(text(case, "kind"));
            same("fields", &json!(got), &case["fields"])
        }
        op => Err(format!("no such op: {op}")),
    }
}

fn human_duration(_: &Value, case: &Value) -> Outcome {
    let length = || read(&case["nanoseconds"]).map(SignedDuration::from_nanos);
    let got = match text(case, "op") {
        "human" => duration::human(length()?),
        "short" => duration::short(length()?),
        "age" => {
            let now = Timestamp::UNIX_EPOCH;
            let since: Option<i64> = read(&case["seconds_since_creation"])?;
            duration::age(since.map(|seconds| now - SignedDuration::from_secs(seconds)), now)
        }
        op => return Err(format!("no such op: {op}")),
    };
    same("text", &got.as_str(), &text(case, "text"))
}

fn name(_: &Value, case: &Value) -> Outcome {
    let value = text(case, "value");
    let number = || read::<i64>(&case["value"]);
    let got = match text(case, "rule") {
        "dns1123_label" => names::dns1123_label(value),
        "dns1123_subdomain" => names::dns1123_subdomain(value),
        "dns1035_label" => names::dns1035_label(value),
        "wildcard_dns1123_subdomain" => names::wildcard_dns1123_subdomain(value),
        "port_name" => names::port_name(value),
        "port_number" => names::port_number(number()?),
        "label_key" => names::label_key(value),
        "label_value" => names::label_value(value),
        "http_header_name" => names::http_header_name(value),
        "percent" => names::percent(value),
        "config_map_key" => names::config_map_key(value),
        "fqdn" => {
            let errors = names::fully_qualified_domain_name(&Path::new("f"), value);
            errors.iter().map(FieldError::body).collect()
        }
        "env_var_name_relaxed" => names::env_var_name(value),
        "env_var_name_strict" => names::env_var_name_strict(value),
        "c_identifier" => names::c_identifier(value),
        "group_id" => names::group_id(number()?),
        "user_id" => names::user_id(number()?),
        rule => return Err(format!("no such rule: {rule}")),
    };
    same("valid", &Some(got.is_empty()), &case["valid"].as_bool())?;
    case.get("messages").map_or(Ok(()), |want| same("messages", &json!(got), want))
}

fn refused<T, E>(result: Result<T, E>) -> Outcome {
    result.err().map(|_| ()).ok_or_else(|| "accepted".to_owned())
}
