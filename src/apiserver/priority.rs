//! `Priority`: what a pod's priority class stands for.
//!
//! Mirrors: `plugin/pkg/admission/priority`.

use std::rc::Rc;

use serde_json::json;

use super::admission::forbidden;
use super::server::ApiServer;
use crate::api::document::Document;
use crate::api::status::StatusError;
use crate::api::validation::priority_class::OF_SYSTEM;
use crate::api::{Kind, Object, Pod};

const PREEMPT: &str = "PreemptLowerPriority";

/// The classes that every cluster begins with.
pub(super) fn system_classes() -> impl Iterator<Item = Object> {
    OF_SYSTEM.into_iter().filter_map(|(name, value, description)| {
        let class = json!({"metadata": {"name": name}, "value": value, "description": description});
        Object::from_json(Kind::PriorityClass, &class).ok().map(|decoded| decoded.object)
    })
}

impl ApiServer {
    /// A pod with the number that its class stands for.
    ///
    /// # Errors
    ///
    /// 403 if there is no such class, or the pod says another number than the class.
    pub(super) fn admit_priority(&self, pod: &mut Pod) -> Result<(), StatusError> {
        let refuse = |why: String| Err(forbidden(Kind::Pod, &pod.metadata, why));
        let wanted = pod.spec.priority_class_name.as_deref().unwrap_or_default();
        let class = if wanted.is_empty() {
            self.default_class()
        } else if let Some(class) = self.object(Kind::PriorityClass, "", wanted) {
            class.document()
        } else {
            return refuse(format!("no PriorityClass with name {wanted} was found"));
        };
        let value = class.map(value_of).unwrap_or_default();
        let policy = class.map(|class| class.at("preemptionPolicy").text()).unwrap_or_default();
        let policy = if policy.is_empty() { PREEMPT } else { policy };
        if let Some(given) = pod.spec.priority.filter(|given| *given != value) {
            return refuse(format!(
                "the integer value of priority ({given}) must not be provided in pod spec; priority \
                 admission controller computed {value} from the given PriorityClass name"
            ));
        }
        let given = pod.spec.preemption_policy.as_deref();
        if let Some(given) = given.filter(|given| *given != policy) {
            return refuse(format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; \
                 priority admission controller computed {policy} from the given PriorityClass name"
            ));
        }
        let is_named = !wanted.is_empty();
        let spec = Rc::make_mut(&mut pod.spec);
        if !is_named {
            spec.priority_class_name =
                class.and_then(|class| class.metadata.name.as_deref()).map(str::to_owned);
        }
        spec.priority = Some(value);
        spec.preemption_policy = Some(policy.to_owned());
        Ok(())
    }

    /// Of the classes that are meant for all others' pods the one of the least value.
    fn default_class(&self) -> Option<&Rc<Document>> {
        let classes = self.objects(Kind::PriorityClass).filter_map(Object::document);
        classes.filter(|class| class.at("globalDefault").is_true()).min_by_key(|it| value_of(it))
    }
}

fn value_of(class: &Rc<Document>) -> i32 {
    class.at("value").number().and_then(|value| value.try_into().ok()).unwrap_or_default()
}
