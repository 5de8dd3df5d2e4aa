//! The integration tests: one binary, one module a matter.

#[cfg(test)]
mod access;
mod applying;
mod binding;
#[cfg(test)]
mod claims;
mod clients;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod creating;
#[cfg(test)]
mod defining;
#[cfg(test)]
mod deleting;
#[cfg(test)]
mod evicting;
#[cfg(test)]
mod executing;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod forwarding;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod granting;
#[cfg(test)]
mod log;
mod logs;
#[cfg(test)]
mod looking_in;
#[cfg(test)]
mod nodes_access;
#[cfg(test)]
mod placements;
#[cfg(test)]
mod preempting;
mod profiles;
#[cfg(test)]
mod protobuf;
#[cfg(test)]
mod quotas;
#[cfg(test)]
mod resizing;
#[cfg(test)]
mod runtime_classes;
#[cfg(test)]
mod server;
#[cfg(test)]
mod service_accounts;
#[cfg(test)]
mod services;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod talking;
mod tidy;
#[cfg(test)]
mod volumes;
mod watching;
mod what_if;
