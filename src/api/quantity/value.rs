//! The quantity itself: what can be asked of it and done with it.

use std::cmp::Ordering;
use std::rc::Rc;
use std::str::FromStr;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Wire;

use super::amount::{Amount, power_of_ten};
use super::{Format, MILLI, QuantityError, parse};

/// An amount of a resource and how it is written.
///
/// Two quantities are equal when their amounts are: `1Gi` is `1024Mi`.
#[derive(Clone, Debug, Default)]
pub struct Quantity {
    pub(super) amount: Amount,
    pub(super) format: Format,
    /// The text as it was read, where upstream keeps it although it is not the canonical one.
    pub(super) text: Option<Rc<str>>,
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

    /// What the scheduler and kubelets count of a `resource`: of CPU thousandths, of others whole units.
    pub fn counted(&self, resource: &str) -> i64 {
        if resource == "cpu" { self.milli_value() } else { self.value() }
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

fn saturated(value: i128) -> i128 {
    match value.cmp(&0) {
        Ordering::Less => i128::MIN,
        Ordering::Equal => 0,
        Ordering::Greater => i128::MAX,
    }
}
