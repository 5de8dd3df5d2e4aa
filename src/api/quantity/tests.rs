//! Quantities against a naive model: whole billionths.

use proptest::prelude::*;

use super::*;

/// Billionths, the obvious way: everything a manifest may say fits when it is not extreme.
fn naive(negative: bool, whole: u64, fraction: &str, suffix: &str) -> i128 {
    let (base, exponent): (i128, i32) = match suffix {
        "n" => (10, -9),
        "u" => (10, -6),
        "m" => (10, -3),
        "" => (10, 0),
        "k" | "e3" | "E+3" => (10, 3),
        "M" => (10, 6),
        "e-2" => (10, -2),
        "Ki" => (1024, 1),
        "Mi" => (1024, 2),
        "Gi" => (1024, 3),
        other => panic!("no suffix: {other}"),
    };
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    let mut numerator = digits * 1_000_000_000;
    let mut denominator = 10_i128.pow(u32::try_from(fraction.len()).unwrap());
    let factor = base.pow(exponent.unsigned_abs());
    if exponent < 0 {
        denominator *= factor;
    } else {
        numerator *= factor;
    }
    let up = numerator / denominator + i128::from(numerator % denominator != 0);
    if negative { -up } else { up }
}

fn away_from_zero(nanos: i128, unit: i128) -> i64 {
    let rest = if nanos % unit == 0 { 0 } else { nanos.signum() };
    i64::try_from(nanos / unit + rest).unwrap()
}

fn nanos(quantity: &Quantity) -> i128 {
    let (value, scale) = quantity.unscaled();
    value * 10_i128.pow(u32::try_from(scale - NANO).unwrap())
}

prop_compose! {
    fn written()(
        negative: bool,
        whole in prop_oneof![0_u64..10, 0..2000_u64, 0..1_000_000_u64],
        fraction in "[0-9]{0,12}",
        suffix in prop::sample::select(&[
            "n", "u", "m", "", "k", "M", "Ki", "Mi", "Gi", "e3", "E+3", "e-2",
        ][..]),
    ) -> (String, i128) {
        let sign = if negative { "-" } else { "" };
        let dot = if fraction.is_empty() { "" } else { "." };
        let text = format!("{sign}{whole}{dot}{fraction}{suffix}");
        (text, naive(negative, whole, &fraction, suffix))
    }
}

proptest! {
    #[test]
    fn reads_what_the_text_says((text, want) in written()) {
        let quantity = Quantity::parse(&text).unwrap();
        prop_assert_eq!(nanos(&quantity), want);
        prop_assert_eq!(quantity.value(), away_from_zero(want, 1_000_000_000));
        prop_assert_eq!(quantity.milli_value(), away_from_zero(want, 1_000_000));
    }

    #[test]
    fn printing_loses_nothing_and_is_stable((text, want) in written()) {
        let quantity = Quantity::parse(&text).unwrap();
        let printed = quantity.to_string();
        let again = Quantity::parse(&printed).unwrap();
        prop_assert_eq!(nanos(&again), want, "{} became {}", text, printed);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn adds_subtracts_and_compares_like_whole_numbers((a, x) in written(), (b, y) in written()) {
        let (a, b) = (Quantity::parse(&a).unwrap(), Quantity::parse(&b).unwrap());
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        let mut sum = a.clone();
        sum.add(&b);
        prop_assert_eq!(nanos(&sum), x + y);
        let mut difference = a;
        difference.sub(&b);
        prop_assert_eq!(nanos(&difference), x - y);
    }

    #[test]
    fn no_text_breaks_it(text in "[-+]?[0-9.]{0,60}[eEinumkKMGTP]{0,2}[-+]?[0-9]{0,11}") {
        if let Ok(mut quantity) = Quantity::parse(&text) {
            let one = Quantity::new(1, Format::DecimalSi);
            quantity.add(&one);
            quantity.sub(&Quantity::scaled(1, NANO, Format::DecimalSi));
            prop_assert!(!quantity.to_string().is_empty());
            let _ = (quantity.value(), quantity.milli_value(), quantity.cmp(&one));
        }
    }
}

#[test]
fn far_apart_amounts_compare_and_add() {
    let huge = Quantity::parse("1e30").unwrap();
    let tiny = Quantity::parse("1n").unwrap();
    assert!(huge > tiny);
    let mut sum = huge.clone();
    sum.add(&tiny);
    assert!(sum > huge, "rounded away from zero, not dropped");
    assert_eq!(huge.value(), i64::MAX);
}

#[test]
fn upstreams_oddities_are_kept() {
    for (text, printed) in [("-", "0"), (".", "0"), ("k", "0"), ("007m", "007m"), ("1000E", "1e21")]
    {
        assert_eq!(Quantity::parse(text).unwrap().to_string(), printed, "{text}");
    }
    assert_eq!(Quantity::parse("e-20").unwrap_err(), QuantityError::Numeric);
}

#[test]
fn nothing_is_no_finer_than_a_billionth() {
    let nothing: Quantity = "0.0n".parse().unwrap();
    assert_eq!(nothing.unscaled(), (0, NANO));
}
