//! Podflow.
mod apiserver;
