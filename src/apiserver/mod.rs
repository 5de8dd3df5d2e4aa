//! The API server: the only component that reaches the store.
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the request handlers are to call it")
)]
mod etcd;
