//! `Priority`: what a pod's priority class stands for.
//!
//! Mirrors: `plugin/pkg/admission/priority`.

use std::rc::Rc;

use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::defaults::Defaults as _;
use crate::api::status::StatusError;
use crate::api::validation::priority_class::OF_SYSTEM;
use crate::api::{Kind, Object, Pod, Resource as _};

const PREEMPT: &str = "PreemptLowerPriority";

/// The classes that every cluster begins with.
pub(super) fn system_classes() -> impl Iterator<Item = Object> {
    OF_SYSTEM.into_iter().map(|(name, value, description)| {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let mut class = PriorityClass {
            metadata,
            value: Some(value),
            description: Some(description.to_owned()),
            ..PriorityClass::default()
        };
        class.set_defaults();
        Object::PriorityClass(Rc::new(class))
    })
}

impl ApiServer {
    /// A pod with the number that its class stands for.
    ///
    /// # Errors
    ///
    /// 403 if there is no such class, or the pod says another number than the class.
    pub(super) fn admit_priority(&self, pod: &Pod) -> Result<Pod, StatusError> {
        let resource = || group_resource(Kind::Pod.resource());
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let refuse = |why: String| Err(StatusError::forbidden(resource(), name, why));
        let wanted = pod.spec.priority_class_name.as_deref().unwrap_or_default();
        let class = if wanted.is_empty() {
            self.default_class()
        } else if let Some(class) = self.object(Kind::PriorityClass, "", wanted) {
            PriorityClass::unwrap(class)
        } else {
            return refuse(format!("no PriorityClass with name {wanted} was found"));
        };
        let value = class.and_then(|class| class.value).unwrap_or_default();
        let policy = class.and_then(|class| class.preemption_policy.as_deref()).unwrap_or(PREEMPT);
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
        let mut pod = pod.clone();
        let spec = Rc::make_mut(&mut pod.spec);
        if wanted.is_empty() {
            spec.priority_class_name = class.and_then(|class| class.metadata.name.clone());
        }
        spec.priority = Some(value);
        spec.preemption_policy = Some(policy.to_owned());
        Ok(pod)
    }

    /// Of the classes that are meant for all others' pods the one of the least value.
    fn default_class(&self) -> Option<&Rc<PriorityClass>> {
        let classes = self.objects(Kind::PriorityClass).filter_map(PriorityClass::unwrap);
        let global = classes.filter(|class| class.global_default == Some(true));
        global.min_by_key(|class| class.value)
    }
}
