//! Quantities as text.

use std::fmt;

use super::amount::{Amount, divided};
use super::{Format, Quantity};

impl fmt::Display for Quantity {
    /// The canonical text: no fraction, the largest suffix that loses nothing. Where upstream keeps
    /// the text that was read, that one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.format == Format::BinarySi
            && let Some(bytes) = self.amount.whole_from_1024()
        {
            let (number, times) = without_factors(bytes, 1024);
            let suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
            return write!(f, "{number}{}", suffixes.get(times).copied().unwrap_or_default());
        }
        let (number, exponent) = self.amount.engineering();
        match (self.format, exponent) {
            (_, 0) => write!(f, "{number}"),
            (Format::BinarySi | Format::DecimalSi, _) if exponent <= 18 => {
                write!(f, "{number}{}", decimal_suffix(exponent))
            }
            // There are no suffixes beyond.
            (_, _) => write!(f, "{number}e{exponent}"),
        }
    }
}

impl Amount {
    /// The whole number it is, if it is one and large enough for a binary suffix.
    fn whole_from_1024(self) -> Option<i128> {
        let small = Self { value: self.value.saturating_abs(), scale: self.scale };
        if small.compare(Self { value: 1024, scale: 0 }).is_lt() {
            return None;
        }
        let (whole, exact) = self.lowered_to(0).rounded_up(0);
        (exact && whole.scale == 0).then_some(whole.value)
    }

    /// The shortest number whose exponent is a multiple of three.
    fn engineering(self) -> (i128, i32) {
        let (mut number, times) = without_factors(self.value, 10);
        let mut exponent = self.scale.saturating_add(i32::try_from(times).unwrap_or(i32::MAX));
        // The factors are put back as they were found, so this fits but for the last digits.
        while let Some(lower) = exponent.checked_sub(1).filter(|_| exponent % 3 != 0) {
            number = number.saturating_mul(10);
            exponent = lower;
        }
        (number, exponent)
    }
}

/// The suffix for an exponent from -9 to 18.
fn decimal_suffix(exponent: i32) -> &'static str {
    match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    }
}

/// `value` without the factors `base`, and how many there were; zero has none.
fn without_factors(mut value: i128, base: i128) -> (i128, usize) {
    let mut times = 0;
    while value != 0 {
        let (quotient, rest) = divided(value, base);
        if rest != 0 {
            break;
        }
        value = quotient;
        times += 1;
    }
    (value, times)
}
