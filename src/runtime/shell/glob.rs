//! Patterns: `*`, `?`, `[a-z]`.

/// A character of an expanded word; a quoted one is never special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyph {
    pub c: char,
    pub quoted: bool,
}

/// `text` as glyphs.
pub fn glyphs(text: &str, quoted: bool) -> impl Iterator<Item = Glyph> + '_ {
    text.chars().map(move |c| Glyph { c, quoted })
}

/// Whether the pattern could match anything but itself.
pub fn is_pattern(pattern: &[Glyph]) -> bool {
    pattern.iter().any(|glyph| !glyph.quoted && matches!(glyph.c, '*' | '?' | '['))
}

/// Whether the whole of `text` fits `pattern`.
pub fn matches(pattern: &[Glyph], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and how far it reaches so far.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let glyph = pattern.get(p);
        if let Some(glyph) = glyph
            && glyph.c == '*'
            && !glyph.quoted
        {
            star = Some((p, t));
            p += 1;
            continue;
        }
        let fits = match (glyph, text.get(t)) {
            (None, None) => return true,
            (Some(_), Some(c)) => one(pattern, p, *c),
            (Some(_), None) => return false,
            (None, Some(_)) => None,
        };
        match (fits, star) {
            (Some(next), _) => (p, t) = (next, t + 1),
            (None, Some((at, reach))) => {
                star = Some((at, reach + 1));
                (p, t) = (at + 1, reach + 1);
            }
            (None, None) => return false,
        }
    }
}

/// Where the pattern goes on, if its part at `at` fits `c`.
fn one(pattern: &[Glyph], at: usize, c: char) -> Option<usize> {
    let glyph = pattern.get(at)?;
    if glyph.quoted {
        return (glyph.c == c).then_some(at + 1);
    }
    match glyph.c {
        '?' => Some(at + 1),
        '[' => match set(pattern, at + 1, c) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (c == '[').then_some(at + 1),
        },
        literal => (literal == c).then_some(at + 1),
    }
}

/// Whether the set that begins at `at` has `c`, and where it ends; `None` if it never ends.
fn set(pattern: &[Glyph], mut at: usize, c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(at)?.c, '!' | '^');
    at += usize::from(negated);
    let (mut found, start) = (false, at);
    loop {
        let low = pattern.get(at)?.c;
        if low == ']' && at > start {
            return Some((found != negated, at + 1));
        }
        let range = pattern.get(at + 1).is_some_and(|glyph| glyph.c == '-')
            && pattern.get(at + 2).is_some_and(|glyph| glyph.c != ']');
        if range {
            let high = pattern.get(at + 2)?.c;
            found |= (low..=high).contains(&c);
            at += 3;
        } else {
            found |= low == c;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, want) in [
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("*.txt", "notes.txt", true),
            ("?x", "ax", true),
            ("?x", "x", false),
            ("[a-c]1", "b1", true),
            ("[!a-c]1", "b1", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("a**b*", "ab", true),
        ] {
            let pattern: Vec<Glyph> = glyphs(pattern, false).collect();
            let text: Vec<char> = text.chars().collect();
            assert_eq!(matches(&pattern, &text), want, "{pattern:?} {text:?}");
        }
        let star: Vec<Glyph> = glyphs("*", true).collect();
        assert!(!matches(&star, &['a']));
        let slow: Vec<Glyph> = glyphs(&"a*".repeat(50), false).collect();
        assert!(!matches(&slow, &vec!['b'; 1000]));
    }
}
