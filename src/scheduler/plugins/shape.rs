//! A broken line: which score each utilisation has.
//!
//! Mirrors: `plugins/helper/shape_score.go`.

/// A corner of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub utilization: i64,
    pub score: i64,
}

/// The corners, by utilisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(pub Vec<Point>);

impl Shape {
    /// The score at a utilisation; beyond the ends it stays as it is there.
    pub fn score(&self, utilization: i64) -> i64 {
        let mut before: Option<Point> = None;
        for point in &self.0 {
            if utilization <= point.utilization {
                let Some(from) = before else { return point.score };
                let rise = (point.score - from.score) * (utilization - from.utilization);
                let run = point.utilization - from.utilization;
                return from.score + rise.checked_div(run).unwrap_or_default();
            }
            before = Some(*point);
        }
        before.map_or(0, |last| last.score)
    }
}
