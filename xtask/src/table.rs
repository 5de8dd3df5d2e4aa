//! Text tables.

/// `rows` under `head`, in columns as wide as their widest cell. A column whose head ends with a space
/// is aligned to the right.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        let title = head.get(column).map_or(0, |title| title.trim_end().chars().count());
        cells.max().unwrap_or(0).max(title)
    };
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.enumerate().map(|(column, cell)| {
            let width = width(column);
            if head.get(column).is_some_and(|title| title.ends_with(' ')) {
                format!("{:>width$}", cell.trim_end())
            } else {
                format!("{cell:<width$}")
            }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut head.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_aligned() {
        let rows =
            [vec!["a".to_owned(), "1.5".to_owned()], vec!["long".to_owned(), "20".to_owned()]];
        assert_eq!(table(&["step", "s "], &rows), "step    s\na     1.5\nlong   20\n");
    }
}
