//! Lengths as SVG and CSS have them.

use std::fmt;

use crate::api::text::fixed;

/// A length in pixels, written as fine as can be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Px(pub f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&px(self.0))
    }
}

/// A length in pixels as an attribute.
pub fn px(length: f64) -> String {
    fixed(length, 1)
}
