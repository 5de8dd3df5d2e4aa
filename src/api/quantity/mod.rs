//! Quantities of resources: `250m`, `64Mi`, `1e3`; exact, never a float.
//!
//! Mirrors: `apimachinery/pkg/api/resource`. One 128-bit number stands for both of upstream's (a
//! 64-bit one and one of any size): exact up to 38 digits, beyond that rounded away from zero.

mod amount;
mod parse;
mod print;
mod value;

pub use parse::QuantityError;
pub use value::Quantity;

/// Thousandths, the finest unit of CPU.
pub const MILLI: i32 = -3;

/// The finest unit a quantity can have.
pub const NANO: i32 = -9;

/// The family of suffixes a quantity is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `1e3`.
    DecimalExponent,
    /// `1Ki`.
    BinarySi,
    /// `1k`.
    #[default]
    DecimalSi,
}

#[cfg(test)]
mod tests;
