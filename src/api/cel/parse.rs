//! Reading expressions, which the crate `cel` does, within bounds.

use cel::IdedExpr;
use cel::common::ast::SourceInfo;
use cel::parser::{ParseErrors, PrattParser};

/// How many signs that may make an expression deeper it may have. What the crate reads it also frees,
/// level by level, so this bounds how far it goes down.
const MOST_STEPS: usize = 500;
const DEEPENS: &[char] = &['.', '[', '(', '{', '?', '!', '-', '+', '*', '/', '%', '=', '<', '>'];
/// The longest text that is read at all.
const LONGEST: usize = 64 * 1024;

/// What is wrong with an expression, and where.
#[derive(Debug)]
pub struct Problem {
    /// Of the part that it is about.
    pub id: u64,
    pub words: String,
}

/// The tree of an expression.
///
/// # Errors
///
/// It is none, in words for whoever wrote it.
pub fn parse(source: &str) -> Result<IdedExpr, String> {
    if source.len() > LONGEST {
        let words = "expression code point size exceeds limit";
        return Err(format!(
            "ERROR: <input>:-1:0: {words}: size: {}, limit {LONGEST}",
            source.len()
        ));
    }
    let steps = source.matches(DEEPENS).count() + source.matches(" in ").count();
    if steps > MOST_STEPS {
        return Err("ERROR: <input>:-1:0: expression recursion limit exceeded: 250".to_owned());
    }
    read(source).map_err(|errors| {
        let of_crate = errors.errors.iter();
        let texts = of_crate.map(|error| {
            let (line, column) = error.pos;
            match (usize::try_from(line - 1), usize::try_from(column - 1)) {
                (Ok(line), Ok(column)) => told(source, line, column, &error.msg),
                _ => format!("ERROR: <input>:-1:0: {}", error.msg),
            }
        });
        texts.collect::<Vec<_>>().join("\n")
    })
}

fn read(source: &str) -> Result<IdedExpr, ParseErrors> {
    let parser = PrattParser::new().enable_optional_syntax(true).enable_ident_escape_syntax(true);
    parser.parse(source)
}

/// What is said of the problems of an expression, in the order of their places.
///
/// The crate tells where a part stands only next to an error, so what has problems of its own is read
/// again with one behind it.
pub fn all_told(source: &str, problems: &[Problem]) -> String {
    let broken = [source, "\n)"].concat();
    let info = read(&broken)
        .err()
        .and_then(|errors| errors.errors.into_iter().find_map(|it| it.source_info));
    let mut all: Vec<(usize, usize, &str)> = problems
        .iter()
        .map(|problem| {
            let (line, column) =
                info.as_ref().map_or((0, 0), |info| place(source, info, problem.id));
            (line, column, problem.words.as_str())
        })
        .collect();
    crate::sim::sort::by(&mut all, |one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    let texts = all.into_iter().map(|(line, column, words)| told(source, line, column, words));
    texts.collect::<Vec<_>>().join("\n")
}

/// The line and the column of a part, both from zero.
fn place(source: &str, info: &SourceInfo, id: u64) -> (usize, usize) {
    let offset = info.offset_for(id).and_then(|(start, _)| usize::try_from(start).ok());
    let before = source.get(..offset.unwrap_or_default()).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    (line, column)
}

/// A problem with the line that it is in.
fn told(source: &str, line: usize, column: usize, words: &str) -> String {
    let text = source.lines().nth(line).unwrap_or_default().replace('\t', " ");
    let dots = ".".repeat(column);
    format!("ERROR: <input>:{}:{}: {words}\n | {text}\n | {dots}^", line + 1, column + 1)
}
