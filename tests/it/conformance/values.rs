//! Runners for values written as text: quantities, selectors, names, durations.

use super::Form;

pub const FORMS: &[Form] = &[];
