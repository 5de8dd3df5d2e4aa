//! The integration tests: one binary, one module a matter.

#[cfg(test)]
mod conformance;
mod tidy;
