//! Roles that are made of others: their rules are those of all roles that they select by labels.
//!
//! Mirrors: `pkg/controller/clusterroleaggregation`. There is no controller manager yet, so the server
//! follows its own watch of the store.

use serde_json::Value;

use super::server::ApiServer;
use super::strategy::Write;
use crate::api::document::{Document, Part};
use crate::api::labels::Selector;
use crate::api::{Kind, Object};
use crate::sim::Ctx;

impl ApiServer {
    /// Gathers the rules anew after a change of `object`.
    pub(super) fn aggregate(&mut self, ctx: &mut Ctx<'_, Self>, changed: &Object) {
        if changed.kind() != Kind::ClusterRole {
            return;
        }
        let roles = self.documents(Kind::ClusterRole, "");
        let made = roles.filter_map(|role| Some((role.clone(), self.gathered(role)?)));
        for (role, rules) in made.collect::<Vec<_>>() {
            if *role.at("rules").value() == rules {
                continue;
            }
            let old = Object::from(role.clone());
            let mut role = role;
            role.fields_mut().insert("rules".to_owned(), rules);
            role.metadata.resource_version = None;
            self.write_end(ctx, &old, Write::Put(role.into()));
        }
    }

    /// The rules of all roles that this one is made of, each once; none if it is not made of others.
    fn gathered(&self, role: &Document) -> Option<Value> {
        let selectors = role.at("aggregationRule").at("clusterRoleSelectors");
        if selectors.is_empty() {
            return None;
        }
        let mut rules: Vec<Value> = Vec::new();
        for selector in selectors.items().map(Selector::from_part) {
            // By name, as the store has them.
            for other in self.documents(Kind::ClusterRole, "") {
                let is_part = selector.matches(other.metadata.labels.as_deref());
                if !is_part || other.metadata.name == role.metadata.name {
                    continue;
                }
                for rule in other.at("rules").items().map(Part::value) {
                    if !rules.contains(rule) {
                        rules.push(rule.clone());
                    }
                }
            }
        }
        Some(if rules.is_empty() { Value::Null } else { rules.into() })
    }
}
