//! Quantities from their text.

use std::rc::Rc;

use super::amount::Amount;
use super::{Format, NANO, Quantity};

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error(
        "quantities must match the regular expression \
         '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

/// As many digits as always fit upstream's small numbers.
const SMALL_DIGITS: usize = 18;

/// The most that a quantity with a binary suffix may be.
const BINARY_MAX: Amount = Amount { value: i64::MAX as i128, scale: 0 };

pub(super) fn quantity(text: &str) -> Result<Quantity, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    let parts = Parts::of(text)?;
    let suffix = Suffix::of(parts.suffix).ok_or(QuantityError::Suffix)?;
    if parts.is_small(suffix) { Ok(parts.small(text, suffix)) } else { parts.large(suffix) }
}

/// A text cut up: `-012.50e3` is negative, `12`, `50` and `e3`.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
    /// Whether there is any digit before the suffix.
    has_digits: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, QuantityError> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (digits, rest) = split_digits(unsigned);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => split_digits(rest),
            None => ("", rest),
        };
        let exponent = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if !split_digits(exponent).1.is_empty() {
            return Err(QuantityError::Format);
        }
        Ok(Self {
            negative: text.starts_with('-'),
            whole: digits.trim_start_matches('0'),
            fraction,
            suffix,
            // A sign alone, without even a suffix, is zero upstream.
            has_digits: !(digits.is_empty() && fraction.is_empty()) || rest.is_empty(),
        })
    }

    /// Whether upstream holds the amount in 64 bits; only then it keeps the text.
    fn is_small(&self, suffix: Suffix) -> bool {
        let whole = self.whole.len().max(1);
        match suffix {
            Suffix::Decimal { exponent, .. } => {
                whole + self.fraction.len() <= SMALL_DIGITS
                    && self.scale(exponent).is_some_and(|scale| scale >= NANO)
            }
            // Three digits for every ten bits.
            Suffix::Binary { bits } => self.fraction.is_empty() && whole + bits / 10 * 3 <= 14,
        }
    }

    fn small(&self, text: &str, suffix: Suffix) -> Quantity {
        let (number, _) = self.digits();
        let (amount, format, kept) = match suffix {
            Suffix::Decimal { exponent, format } => {
                let scale = self.scale(exponent).unwrap_or_default();
                let kept =
                    scale % 3 == 0 && !self.whole.is_empty() && !self.ends_with_three_zeros();
                (Amount { value: self.signed(number), scale }, format, kept)
            }
            Suffix::Binary { bits } => {
                let amount = Amount { value: self.signed(number << bits), scale: 0 };
                (amount, Format::BinarySi, number % 8 != 0)
            }
        };
        // Most texts that are kept are what printing gives anyway.
        let plain = self.fraction.is_empty()
            && format != Format::DecimalExponent
            && text.trim_start_matches('-').starts_with(|c: char| matches!(c, '1'..='9'))
            && !text.contains('.');
        let text = (kept && !plain).then(|| Rc::from(text));
        Quantity { amount, format, text }
    }

    fn large(&self, suffix: Suffix) -> Result<Quantity, QuantityError> {
        if !self.has_digits {
            return Err(QuantityError::Numeric);
        }
        let (number, dropped) = self.digits();
        let mut amount = match suffix {
            Suffix::Decimal { exponent, .. } => {
                let scale = self.scale(exponent).unwrap_or(i32::MIN).saturating_add(dropped);
                Amount { value: number, scale }
            }
            Suffix::Binary { bits } => {
                let scale = self.scale(0).unwrap_or(i32::MIN).saturating_add(dropped);
                binary(number, scale, bits)
            }
        };
        (amount, _) = amount.rounded_up(NANO);
        let mut format = suffix.format();
        if format == Format::BinarySi {
            if amount.compare(BINARY_MAX).is_gt() {
                amount = BINARY_MAX;
            } else if amount.value > 0 && amount.compare(Amount { value: 1, scale: 0 }).is_lt() {
                format = Format::DecimalSi;
            }
        }
        amount.value = self.signed(amount.value);
        Ok(Quantity { amount, format, text: None })
    }

    /// All digits as one number, and how many were rounded off because it would not fit.
    fn digits(&self) -> (i128, i32) {
        let mut number: i128 = 0;
        let mut dropped: i32 = 0;
        let mut lost = false;
        for byte in self.whole.bytes().chain(self.fraction.bytes()) {
            let digit = i128::from(byte.saturating_sub(b'0'));
            let longer = number.checked_mul(10).and_then(|number| number.checked_add(digit));
            if let Some(longer) = longer.filter(|_| dropped == 0) {
                number = longer;
            } else {
                dropped = dropped.saturating_add(1);
                lost |= digit != 0;
            }
        }
        (number.saturating_add(lost.into()), dropped)
    }

    /// The power of ten of the last digit.
    fn scale(&self, exponent: i32) -> Option<i32> {
        exponent.checked_sub(i32::try_from(self.fraction.len()).ok()?)
    }

    fn signed(&self, value: i128) -> i128 {
        if self.negative { -value } else { value }
    }

    fn ends_with_three_zeros(&self) -> bool {
        let mut backwards = self.fraction.bytes().rev().chain(self.whole.bytes().rev());
        (0..3).all(|_| backwards.next() == Some(b'0'))
    }
}

/// `number` times two to the power of `bits`; far above the cap it only must stay above it.
fn binary(number: i128, scale: i32, bits: usize) -> Amount {
    if let Some(value) = number.checked_mul(1 << bits) {
        return Amount { value, scale };
    }
    // Too many digits for all of them to matter: give up the last ones.
    let (short, _) = Amount { value: number, scale }.rounded_up(scale.saturating_add(20));
    Amount { value: short.value.saturating_mul(1 << bits), scale: short.scale }
}

#[derive(Clone, Copy)]
enum Suffix {
    Decimal { exponent: i32, format: Format },
    Binary { bits: usize },
}

impl Suffix {
    fn of(text: &str) -> Option<Self> {
        let decimal = |exponent| Some(Self::Decimal { exponent, format: Format::DecimalSi });
        let binary = |bits| Some(Self::Binary { bits });
        match text {
            "" => decimal(0),
            "n" => decimal(-9),
            "u" => decimal(-6),
            "m" => decimal(-3),
            "k" => decimal(3),
            "M" => decimal(6),
            "G" => decimal(9),
            "T" => decimal(12),
            "P" => decimal(15),
            "E" => decimal(18),
            "Ki" => binary(10),
            "Mi" => binary(20),
            "Gi" => binary(30),
            "Ti" => binary(40),
            "Pi" => binary(50),
            "Ei" => binary(60),
            _ => {
                let exponent = text.strip_prefix(['e', 'E'])?.parse().ok()?;
                Some(Self::Decimal { exponent, format: Format::DecimalExponent })
            }
        }
    }

    fn format(self) -> Format {
        match self {
            Self::Decimal { format, .. } => format,
            Self::Binary { .. } => Format::BinarySi,
        }
    }
}

/// The digits that `text` begins with, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
