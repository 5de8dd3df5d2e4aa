//! Text that fits: SVG neither wraps nor cuts.

/// `text`, cut to about `width` pixels at `size` pixels of height.
pub fn clip(text: &str, width: f64, size: f64) -> String {
    let advance = |c: char| if c.is_ascii() { 0.56 * size } else { size };
    let mut left = width;
    let fits = |c: &char| {
        left -= advance(*c);
        left >= 0.0
    };
    let kept: String = text.chars().take_while(fits).collect();
    if kept.len() == text.len() {
        return kept;
    }
    let mut cut = kept;
    cut.pop();
    cut + "…"
}

/// The keys that press a button.
pub fn presses(key: &str) -> bool {
    key == "Enter" || key == " "
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_and_a_short_one_is_not() {
        assert_eq!(clip("web", 40.0, 12.0), "web");
        assert_eq!(clip("web-7d9c5b8f6-xk2lp", 60.0, 12.0), "web-7d9…");
        assert_eq!(clip("节点", 30.0, 12.0), "节点");
    }
}
