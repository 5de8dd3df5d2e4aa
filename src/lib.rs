//! Podflow.
