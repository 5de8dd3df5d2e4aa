//! The source as text: what no compiler checks.

#[test]
fn stub() {}
