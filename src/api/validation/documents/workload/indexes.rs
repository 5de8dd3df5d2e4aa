//! Lists of the indexes of a job, such as `1,3-5`.
//!
//! Mirrors: `validateIndexesFormat`, `parseIndexInterval` and `validateFailedIndexesNotOverlapCompleted`
//! of `pkg/apis/batch/validation`.

/// How many indexes below `completions` a list has.
///
/// # Errors
///
/// What is wrong with the first interval that is wrong.
pub(super) fn indexes_in(list: &str, completions: i64) -> Result<i64, String> {
    let (mut many, mut latest) = (0, None);
    for interval in list.split(',').filter(|_| !list.is_empty()) {
        let (first, end) = interval_of(interval, completions)?;
        if let Some(latest) = latest.filter(|latest| *latest >= first) {
            return Err(format!("non-increasing order, previous: {latest}, current: {first}"));
        }
        many += end - first + 1;
        latest = Some(end);
    }
    Ok(many)
}

/// The first index that both lists have. Intervals that cannot be read are passed over: they are told of
/// elsewhere.
pub(super) fn common_index(done: &str, failed: &str, completions: i64) -> Option<i64> {
    let intervals = |list: &str| -> Vec<(i64, i64)> {
        list.split(',').filter_map(|it| interval_of(it, completions).ok()).collect()
    };
    let (done, failed) = (intervals(done), intervals(failed));
    let (mut done, mut failed) = (done.iter().peekable(), failed.iter().peekable());
    while let (Some((a, b)), Some((c, d))) = (done.peek(), failed.peek()) {
        if a <= d && c <= b {
            return Some(*a.max(c));
        }
        if a <= c {
            done.next()
        } else {
            failed.next()
        };
    }
    None
}

fn interval_of(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let index = |text: &str| {
        let number: i64 = text
            .parse()
            .map_err(|_error| format!("cannot convert string to integer for index: {text:?}"))?;
        if number < completions { Ok(number) } else { Err(format!("too large index: {text:?}")) }
    };
    match *interval.split('-').collect::<Vec<_>>() {
        [only] => index(only).map(|only| (only, only)),
        [first, end] => {
            let (first, end) = (index(first)?, index(end)?);
            if first >= end {
                return Err(format!("non-increasing order, previous: {first}, current: {end}"));
            }
            Ok((first, end))
        }
        _ => Err(format!(
            "the fragment {interval:?} violates the requirement that an index interval can have at \
             most two parts separated by '-'"
        )),
    }
}
