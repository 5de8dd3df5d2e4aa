//! Pods that are created in numbers: their bodies differ in little but the name.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use serde_json::Value;

use super::HttpCall;
use super::you::BODY_MAX;
use crate::api::decode::{has_duplicate_fields, place_of_field};
use crate::api::request::{JSON, with_spec};

/// How many specs are remembered.
const KNOWN: usize = 8;
const SPEC: &str = "spec";

/// The specs of the last bodies that came, with their texts: one that comes again need not be read.
#[derive(Debug, Default)]
pub struct Specs(VecDeque<(Rc<str>, Rc<Value>)>);

impl HttpCall {
    /// As [`HttpCall::with_text`]; a spec that came before is shared.
    #[must_use]
    pub fn with_text_alike(self, text: &str, specs: &mut Specs) -> Self {
        // Only a text of one line is kept as it came, and one that is too large is not read at all.
        let may_share =
            &*self.content_type == JSON && text.len() <= BODY_MAX && !text.contains('\n');
        let Some(place) = may_share.then(|| place_of_field(text, SPEC)).flatten() else {
            return self.with_text(text);
        };
        let own = text.get(place.clone()).unwrap_or_default();
        let known = specs.0.iter().find(|(known, _)| **known == *own);
        let known = known.map(|(_, spec)| Rc::clone(spec));
        if let Some((spec, rest)) = known.and_then(|spec| Some((spec, without(text, place)?))) {
            let (body, packed) = (Some(Rc::new(rest)), Some(text.into()));
            return Self { body, spec: Some(spec), packed, text: None, ..self };
        }
        let call = self.with_text(text);
        let read = call.body.as_ref().and_then(|body| body.get(SPEC)).filter(|it| it.is_object());
        if let (Some(spec), None) = (read, &call.text) {
            specs.0.push_front((own.into(), Rc::new(spec.clone())));
            specs.0.truncate(KNOWN);
        }
        call
    }

    /// The same call with all of its body in one.
    pub(super) fn whole(&self) -> Self {
        let body = self.body.as_ref().zip(self.spec.as_ref());
        let body = body.map(|(rest, spec)| Rc::new(with_spec(rest, spec)));
        Self { body: body.or_else(|| self.body.clone()), spec: None, ..self.clone() }
    }
}

/// The object that `json` is the text of, without the field whose value stands at `place`; none if it cannot
/// be read, or says something twice.
fn without(json: &str, place: Range<usize>) -> Option<Value> {
    let rest = [json.get(..place.start)?, "null", json.get(place.end..)?].concat();
    let mut read = serde_json::from_str(&rest).ok()?;
    if has_duplicate_fields(&rest, &read) {
        return None;
    }
    read.as_object_mut()?.remove(SPEC)?.is_null().then_some(read)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::{Kind, Object};
    use crate::cluster::{Cluster, Setup};

    fn call(content_type: &str) -> HttpCall {
        let call = HttpCall::new("POST", "/api/v1/namespaces/default/pods", None);
        HttpCall { content_type: content_type.into(), ..call }
    }

    #[test]
    fn a_cluster_does_the_same_whether_specs_are_shared_or_not() {
        let log = |mut specs: Option<Specs>| {
            let mut cluster = Cluster::new(&Setup::new(1, 2));
            for name in ["a", "b", "c", "c"] {
                let body = format!(
                    r#"{{"metadata":{{"name":"{name}"}},"spec":{{"containers":[{{"name":"c","image":"nginx"}}],"hue":1}}}}"#
                );
                cluster.run_for(Duration::from_secs(1));
                let call = call(JSON);
                cluster.submit(&match &mut specs {
                    Some(specs) => call.with_text_alike(&body, specs),
                    None => call.with_text(&body),
                });
            }
            cluster.run_for(Duration::from_secs(30));
            let owners = cluster.objects(Kind::Pod).iter().map(Object::to_json).collect::<Vec<_>>();
            (cluster.log(), owners)
        };
        let alike = log(Some(Specs::default()));
        assert_eq!(alike.1.len(), 3);
        assert_eq!(alike, log(None));
    }

    #[test]
    fn a_body_is_what_it_would_be_alone() {
        let spec = r#"{"containers": [{"name": "c", "args": ["}", "\"{"]}]}"#;
        let texts = [
            format!(r#"{{"metadata": {{"name": "a"}}, "spec": {spec}}}"#),
            format!(
                r#"{{"metadata": {{"name": "b", "labels": {{"spec": "x"}}}}, "spec": {spec}}}"#
            ),
            format!(r#"{{"spec" :{spec}, "kind": "Pod"}}"#),
            format!(r#"{{"kind": "spec", "spec": {spec}}}"#),
            format!(r#"{{"spec": {spec}, "spec": {{}}}}"#),
            format!(r#"{{"spec": {spec}, "\u0073pec": {{}}}}"#),
            format!(r#"{{"kind": "Pod", "kind": "Pod", "spec": {spec}}}"#),
            format!(r#"{{"spec": {spec}"#),
            format!(r#"{{"spec": {spec}}} {{}}"#),
            format!(r#"{{"spec": {spec}}}}}"#),
            format!("{{\"spec\": {spec}\n}}"),
            format!(r#"[{{"spec": {spec}}}]"#),
            format!(r#"{{"spec": {spec}, "kind": "{}"}}"#, "x".repeat(BODY_MAX)),
            r#"{"spec": null}"#.to_owned(),
            r#"{"spec": {"a": 1, "a": 2}}"#.to_owned(),
            r#"{"spec": {"a": 1, "a": 2}, "b": 1}"#.to_owned(),
            "{\"spec\": \"".to_owned(),
            String::new(),
        ];
        let mut specs = Specs::default();
        let mut shared = 0;
        for text in texts.iter().chain(&texts) {
            for content_type in [JSON, "application/yaml"] {
                let alone = call(content_type).with_text(text);
                let alike = call(content_type).with_text_alike(text, &mut specs);
                shared += usize::from(alike.spec.is_some());
                assert_eq!(alike.whole(), alone, "{text}");
                assert_eq!(alike.packed().unpacked(), alone.packed().unpacked(), "{text}");
            }
        }
        assert_eq!(shared, 7, "the first four, but for the very first time");
        assert_eq!(specs.0.len(), 1, "one that says something twice is not remembered");
    }
}
