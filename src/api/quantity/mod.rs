//! Quantities of resources: `250m`, `64Mi`, `1e3`; exact, never a float.
//!
//! Mirrors: `apimachinery/pkg/api/resource`. One 128-bit number stands for both of upstream's (a
//! 64-bit one and one of any size): exact up to 38 digits, beyond that rounded away from zero.

mod parse;
mod print;

use std::cmp::Ordering;
use std::rc::Rc;
use std::str::FromStr;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Wire;

pub use parse::QuantityError;

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

/// An amount of a resource and how it is written.
///
/// Two quantities are equal when their amounts are: `1Gi` is `1024Mi`.
#[derive(Clone, Debug, Default)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text as it was read, where upstream keeps it although it is not the canonical one.
    text: Option<Rc<str>>,
}

impl Quantity {
    /// Nothing at all.
    pub fn zero() -> Self {
        Self::default()
    }

    /// `value` whole units.
    pub fn new(value: i64, format: Format) -> Self {
        Self::scaled(value, 0, format)
    }

    /// `value` thousandths.
    pub fn from_milli(value: i64, format: Format) -> Self {
        Self::scaled(value, MILLI, format)
    }

    /// `value` times ten to the power of `scale`.
    pub fn scaled(value: i64, scale: i32, format: Format) -> Self {
        Self { amount: Amount { value: value.into(), scale }, format, text: None }
    }

    /// Reads a quantity as a manifest has it.
    ///
    /// # Errors
    ///
    /// The text is no number with one of the known suffixes.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse::quantity(text)
    }

    /// Reads a quantity from JSON, where it may also be a bare number or null.
    ///
    /// # Errors
    ///
    /// As [`Quantity::parse`].
    pub fn from_json(text: &str) -> Result<Self, QuantityError> {
        if text == "null" {
            return Ok(Self::zero());
        }
        let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Self::parse(quoted.unwrap_or(text).trim())
    }

    /// The family of suffixes.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The amount as a number and the power of ten it is multiplied by.
    pub fn unscaled(&self) -> (i128, i32) {
        (self.amount.value, self.amount.scale)
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.amount.value == 0
    }

    /// Whether it is below nothing.
    pub fn is_negative(&self) -> bool {
        self.amount.value < 0
    }

    /// In whole units, rounded away from zero; saturates.
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// In thousandths, rounded away from zero; saturates.
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(MILLI)
    }

    /// In units of ten to the power of `scale`, rounded away from zero; saturates.
    pub fn scaled_value(&self, scale: i32) -> i64 {
        let Amount { value, scale: own } = self.amount;
        let value = if own < scale {
            self.amount.rounded_up(scale).0.value
        } else {
            let factor = power_of_ten(own.saturating_sub(scale));
            factor.and_then(|factor| value.checked_mul(factor)).unwrap_or_else(|| saturated(value))
        };
        i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
    }

    /// A float near it.
    #[expect(clippy::cast_precision_loss, reason = "the caller asks for an approximation")]
    pub fn to_f64(&self) -> f64 {
        self.amount.value as f64 * 10f64.powi(self.amount.scale)
    }

    /// Rounds away from zero to a multiple of ten to the power of `scale`; whether nothing was lost.
    pub fn round_up(&mut self, scale: i32) -> bool {
        if self.amount.scale >= scale {
            return true;
        }
        let (amount, exact) = self.amount.rounded_up(scale);
        self.amount = amount;
        self.text = None;
        exact
    }

    /// Adds `other`; zero takes on the format of what is added to it.
    pub fn add(&mut self, other: &Self) {
        self.accumulate(other.amount, other.format);
    }

    /// Takes `other` away; zero takes on the format of what is taken from it.
    pub fn sub(&mut self, other: &Self) {
        let Amount { value, scale } = other.amount;
        self.accumulate(Amount { value: value.saturating_neg(), scale }, other.format);
    }

    /// Multiplies by `factor`; whether the result is exact.
    pub fn mul(&mut self, factor: i64) -> bool {
        self.text = None;
        let product = self.amount.value.checked_mul(factor.into());
        let negative = self.is_negative() != (factor < 0);
        self.amount.value = product.unwrap_or(if negative { i128::MIN } else { i128::MAX });
        product.is_some()
    }

    fn accumulate(&mut self, other: Amount, format: Format) {
        self.text = None;
        if self.is_zero() {
            self.format = format;
        }
        self.amount = self.amount.plus(other);
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.amount.compare(other.amount)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl TryFrom<&Wire> for Quantity {
    type Error = QuantityError;

    fn try_from(wire: &Wire) -> Result<Self, QuantityError> {
        Self::parse(&wire.0)
    }
}

impl From<&Quantity> for Wire {
    fn from(quantity: &Quantity) -> Self {
        Self(quantity.to_string())
    }
}

/// `value` times ten to the power of `scale`.
#[derive(Clone, Copy, Debug, Default)]
struct Amount {
    value: i128,
    scale: i32,
}

impl Amount {
    fn compare(self, other: Self) -> Ordering {
        if self.scale == other.scale {
            return self.value.cmp(&other.value);
        }
        if self.scale < other.scale {
            return other.compare(self).reverse();
        }
        let factor = power_of_ten(self.scale.saturating_sub(other.scale));
        match factor.and_then(|factor| self.value.checked_mul(factor)) {
            Some(value) => value.cmp(&other.value),
            // More than any number that fits; only its sign matters.
            None if self.value == 0 => 0.cmp(&other.value),
            None => self.value.cmp(&0),
        }
    }

    fn plus(self, other: Self) -> Self {
        if other.value == 0 {
            return self;
        }
        if self.value == 0 {
            return other;
        }
        let (coarse, fine) = if self.scale < other.scale { (other, self) } else { (self, other) };
        let coarse = coarse.lowered_to(fine.scale);
        let (fine, _) = fine.rounded_up(coarse.scale);
        if let Some(value) = coarse.value.checked_add(fine.value) {
            return Self { value, scale: coarse.scale };
        }
        let scale = coarse.scale.saturating_add(1);
        let (coarse, fine) = (coarse.rounded_up(scale).0, fine.rounded_up(scale).0);
        Self { value: coarse.value.saturating_add(fine.value), scale }
    }

    /// The same amount with its scale as near to the lower `scale` as fits.
    fn lowered_to(self, scale: i32) -> Self {
        let factor = power_of_ten(self.scale.saturating_sub(scale));
        if let Some(value) = factor.and_then(|factor| self.value.checked_mul(factor)) {
            return Self { value, scale };
        }
        let mut amount = self;
        while let Some(value) = amount.value.checked_mul(10).filter(|_| amount.scale > scale) {
            amount = Self { value, scale: amount.scale - 1 };
        }
        amount
    }

    /// The amount at `scale` or above, rounded away from zero, and whether nothing was lost.
    fn rounded_up(self, scale: i32) -> (Self, bool) {
        if self.scale >= scale || self.value == 0 {
            return (self, true);
        }
        let Some(divisor) = power_of_ten(scale.saturating_sub(self.scale)) else {
            return (Self { value: self.value.signum(), scale }, false);
        };
        let (quotient, rest) = divided(self.value, divisor);
        if rest == 0 {
            return (Self { value: quotient, scale }, true);
        }
        (Self { value: quotient + self.value.signum(), scale }, false)
    }
}

/// Ten to the power of `exponent`, if it fits and is not negative.
fn power_of_ten(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// Quotient and remainder; numbers of 64 bits, the usual ones, are divided as such.
fn divided(value: i128, divisor: i128) -> (i128, i128) {
    if let (Ok(value), Ok(divisor)) = (i64::try_from(value), i64::try_from(divisor)) {
        return (i128::from(value / divisor), i128::from(value % divisor));
    }
    (value / divisor, value % divisor)
}

fn saturated(value: i128) -> i128 {
    match value.cmp(&0) {
        Ordering::Less => i128::MIN,
        Ordering::Equal => 0,
        Ordering::Greater => i128::MAX,
    }
}

#[cfg(test)]
mod tests;
