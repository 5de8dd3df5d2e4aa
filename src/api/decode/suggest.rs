//! Which known name was probably meant.

/// The name of `known` that is most like `word`, if one is like it at all.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(word)) {
        return Some(name);
    }
    // One slip in three letters is still a slip; more is another word.
    let most = (word.chars().count() / 3).clamp(1, 4);
    let near = known.iter().map(|name| (distance(word, name), *name));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

/// How many letters have to be added, left out, replaced or swapped with their neighbour; case
/// counts for nothing.
fn distance(a: &str, b: &str) -> usize {
    let lower = |text: &str| text.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (a, b) = (lower(a), lower(b));
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, from) in a.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, to) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column) + usize::from(from != to);
            let added = at(&this, column) + 1;
            let left_out = at(&last, column + 1) + 1;
            let mut best = replaced.min(added).min(left_out);
            let crossed = column
                .checked_sub(1)
                .filter(|left| b.get(*left) == Some(from) && previous == Some(to));
            if let Some(left) = crossed {
                best = best.min(at(&before_last, left).saturating_add(1));
            }
            this.push(best);
        }
        previous = Some(from);
        before_last = std::mem::replace(&mut last, this);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let known = ["containers", "initContainers", "nodeName", "nodeSelector", "hostNetwork"];
        for (word, name) in [
            ("container", Some("containers")),
            ("contianers", Some("containers")),
            ("nodename", Some("nodeName")),
            ("nodeSelectors", Some("nodeSelector")),
            ("hostnetwrok", Some("hostNetwork")),
            ("replicas", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), name, "{word}");
        }
    }
}
