//! A decimal number of 128 bits.

use std::cmp::Ordering;

/// `value` times ten to the power of `scale`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Amount {
    pub(super) value: i128,
    pub(super) scale: i32,
}

impl Amount {
    pub(super) fn compare(self, other: Self) -> Ordering {
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

    pub(super) fn plus(self, other: Self) -> Self {
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
    pub(super) fn lowered_to(self, scale: i32) -> Self {
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
    pub(super) fn rounded_up(self, scale: i32) -> (Self, bool) {
        if self.scale >= scale {
            return (self, true);
        }
        if self.value == 0 {
            return (Self { value: 0, scale }, true);
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
pub(super) fn power_of_ten(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// Quotient and remainder; numbers of 64 bits, the usual ones, are divided as such.
pub(super) fn divided(value: i128, divisor: i128) -> (i128, i128) {
    if let (Ok(value), Ok(divisor)) = (i64::try_from(value), i64::try_from(divisor)) {
        return (i128::from(value / divisor), i128::from(value % divisor));
    }
    (value / divisor, value % divisor)
}
