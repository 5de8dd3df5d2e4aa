//! What an evaluation may cost, so that none takes long.

/// What one evaluation may cost.
///
/// Mirrors: `PerCallLimit` of `apiserver/pkg/apis/cel/config.go`.
const OF_CALL: u64 = 1_000_000;

/// What all evaluations for one object may cost.
///
/// Mirrors: `RuntimeCELCostBudget`.
pub const OF_OBJECT: u64 = 10_000_000;

/// Why an evaluation came to no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It costs too much.
    Cost,
    /// What went wrong, in upstream's words.
    Failed(String),
}

impl Stop {
    /// Something went wrong.
    pub fn failed(words: impl Into<String>) -> Self {
        Self::Failed(words.into())
    }

    /// No function takes these arguments.
    pub fn no_overload() -> Self {
        Self::failed("no such overload")
    }

    /// The words for it.
    pub fn words(&self) -> &str {
        match self {
            Self::Cost => "operation cancelled: actual cost limit exceeded",
            Self::Failed(words) => words,
        }
    }
}

/// Counts what an evaluation costs.
#[derive(Debug, Default)]
pub struct Meter {
    spent: u64,
}

impl Meter {
    /// Counts `cost` more.
    ///
    /// # Errors
    ///
    /// That is too much.
    pub fn spend(&mut self, cost: usize) -> Result<(), Stop> {
        self.spent = self.spent.saturating_add(u64::try_from(cost).unwrap_or(u64::MAX));
        if self.spent > OF_CALL { Err(Stop::Cost) } else { Ok(()) }
    }

    /// Counts looking at `size` bytes of text.
    ///
    /// # Errors
    ///
    /// That is too much.
    pub fn read(&mut self, size: usize) -> Result<(), Stop> {
        self.spend(size.div_ceil(10))
    }

    /// What was counted.
    pub fn spent(&self) -> u64 {
        self.spent
    }
}
