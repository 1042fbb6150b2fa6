//! What a measurement gives: samples, the limit beside them, and the goal that they meet or miss.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

/// The samples of several runs, smallest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series(Vec<f64>);

impl Series {
    /// # Errors
    /// If there is no sample, or one that is no number.
    pub(super) fn new(mut samples: Vec<f64>) -> anyhow::Result<Self> {
        ensure!(!samples.is_empty(), "nothing was measured");
        ensure!(samples.iter().all(|sample| sample.is_finite()), "a sample is no number");
        samples.sort_by(f64::total_cmp);
        Ok(Self(samples))
    }

    pub(super) fn min(&self) -> f64 {
        self.0[0]
    }

    /// The middle one, or the mean of the two in the middle.
    pub(super) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len() % 2 == 1 { self.0[middle] } else { (self.0[middle - 1] + self.0[middle]) / 2.0 }
    }

    pub(super) fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    fn json(&self) -> Value {
        json!({ "min": self.min(), "median": self.median(), "max": self.max(), "samples": self.0 })
    }
}

/// The smallest sample that at least this share of all does not exceed (nearest rank). `sorted` is not empty.
pub(super) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
    /// 10⁹ bytes per second.
    GigabytesPerSecond,
    PerSecond,
    /// 2²⁰ bytes.
    Mebibytes,
    /// 2¹⁰ bytes.
    Kibibytes,
}

impl Unit {
    /// The figure with as many digits as mean something.
    pub(super) fn show(self, value: f64) -> String {
        let digits = match value.abs() {
            it if it >= 100.0 => 0,
            it if it >= 10.0 => 1,
            _ => 2,
        };
        format!("{value:.digits$} {}", self.name())
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::GigabytesPerSecond => "GB/s",
            Self::PerSecond => "/s",
            Self::Mebibytes => "MiB",
            Self::Kibibytes => "KiB",
        }
    }

    /// Whether less of it is better.
    fn is_cost(self) -> bool {
        matches!(self, Self::Seconds | Self::Milliseconds | Self::Mebibytes | Self::Kibibytes)
    }
}

/// What the median is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// So many times the limit, at most.
    TimesLimit(f64),
    /// This share of the limit's speed, at least.
    ShareOfLimit(f64),
}

/// What the same machine does at best in the same run.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    pub(super) what: String,
    pub(super) series: Series,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Stable, for whoever reads the JSON.
    pub(super) name: String,
    /// For people.
    pub(super) title: String,
    pub(super) unit: Unit,
    pub(super) measured: Series,
    /// In the same unit.
    pub(super) limit: Option<Limit>,
    pub(super) goal: Goal,
    /// Figures beside the main one.
    pub(super) details: Vec<Detail>,
}

/// A figure beside the main one.
#[derive(Debug, Clone)]
pub(super) struct Detail {
    pub(super) what: String,
    pub(super) unit: Unit,
    pub(super) value: f64,
}

impl Detail {
    pub(super) fn new(what: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self { what: what.into(), unit, value }
    }
}

impl Row {
    /// The median in relation to the limit's: how many times as much where the goal bounds that, else the share of the
    /// limit's speed, whichever way the unit counts.
    pub(super) fn ratio(&self) -> Option<f64> {
        let times = self.measured.median() / self.limit.as_ref()?.series.median();
        let inverse = self.unit.is_cost() && matches!(self.goal, Goal::ShareOfLimit(_) | Goal::AtLeast(_));
        Some(if inverse { 1.0 / times } else { times })
    }

    /// Whether the goal is met. A goal in relation to a limit that was not measured is not.
    pub(super) fn met(&self) -> bool {
        let median = self.measured.median();
        match self.goal {
            Goal::AtMost(bound) => median <= bound,
            Goal::AtLeast(bound) => median >= bound,
            Goal::TimesLimit(bound) => self.ratio().is_some_and(|ratio| ratio <= bound),
            Goal::ShareOfLimit(bound) => self.ratio().is_some_and(|ratio| ratio >= bound),
        }
    }

    pub(super) fn goal_text(&self) -> String {
        match self.goal {
            Goal::AtMost(bound) => format!("≤ {bound} {}", self.unit.name()),
            Goal::AtLeast(bound) => format!("≥ {bound} {}", self.unit.name()),
            Goal::TimesLimit(bound) => format!("≤ {bound} × limit"),
            Goal::ShareOfLimit(bound) => format!("≥ {bound} of limit"),
        }
    }

    pub(super) fn json(&self) -> Value {
        let details: Vec<_> = self
            .details
            .iter()
            .map(|it| json!({ "what": it.what, "unit": it.unit.name(), "value": it.value }))
            .collect();
        json!({
            "name": self.name,
            "title": self.title,
            "unit": self.unit.name(),
            "measured": self.measured.json(),
            "limit": self.limit.as_ref().map(|limit| json!({ "what": limit.what, "measured": limit.series.json() })),
            "ratio": self.ratio(),
            "goal": self.goal_text(),
            "met": self.met(),
            "details": details,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row of these samples.
    pub(in crate::bench) fn row(unit: Unit, samples: &[f64], limit: Option<f64>, goal: Goal) -> Row {
        Row {
            name: "name".into(),
            title: "title".into(),
            unit,
            measured: Series::new(samples.to_vec()).unwrap(),
            limit: limit.map(|it| Limit { what: "what".into(), series: Series::new(vec![it]).unwrap() }),
            goal,
            details: Vec::new(),
        }
    }

    #[test]
    fn a_series_knows_its_middle_and_ends() {
        let check = |samples: &[f64], expected: (f64, f64, f64)| {
            let series = Series::new(samples.to_vec()).unwrap();
            assert_eq!((series.min(), series.median(), series.max()), expected);
        };
        check(&[3.0], (3.0, 3.0, 3.0));
        check(&[3.0, 1.0], (1.0, 2.0, 3.0));
        check(&[9.0, 1.0, 2.0], (1.0, 2.0, 9.0));
        assert!(Series::new(Vec::new()).is_err());
        assert!(Series::new(vec![f64::NAN]).is_err());
    }

    #[test]
    fn percentiles_are_samples() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let check = |share: f64, millis: u64| assert_eq!(percentile(&sorted, share), Duration::from_millis(millis));
        check(0.0, 1);
        check(0.5, 100);
        check(0.99, 198);
        check(1.0, 200);
        assert_eq!(percentile(&sorted[..1], 0.99), Duration::from_millis(1));
    }

    #[test]
    fn goals_look_at_the_median() {
        let check = |unit, limit, goal, met: bool| {
            assert_eq!(row(unit, &[1.0, 2.0, 90.0], limit, goal).met(), met, "{goal:?}");
        };
        check(Unit::PerSecond, None, Goal::AtLeast(2.0), true);
        check(Unit::PerSecond, None, Goal::AtLeast(2.1), false);
        check(Unit::Mebibytes, None, Goal::AtMost(2.0), true);
        check(Unit::Mebibytes, None, Goal::AtMost(1.9), false);
        check(Unit::Seconds, Some(1.0), Goal::TimesLimit(2.0), true);
        check(Unit::Seconds, Some(1.0), Goal::TimesLimit(1.9), false);
        // Half the speed, counted in seconds and counted in requests.
        check(Unit::Seconds, Some(1.0), Goal::ShareOfLimit(0.5), true);
        check(Unit::Seconds, Some(1.0), Goal::ShareOfLimit(0.6), false);
        check(Unit::PerSecond, Some(4.0), Goal::ShareOfLimit(0.5), true);
        check(Unit::PerSecond, Some(4.0), Goal::ShareOfLimit(0.6), false);
        check(Unit::PerSecond, None, Goal::ShareOfLimit(0.1), false);
    }

    #[test]
    fn figures_show_the_digits_that_count() {
        assert_eq!(Unit::PerSecond.show(15_234.4), "15234 /s");
        assert_eq!(Unit::Mebibytes.show(64.25), "64.2 MiB");
        assert_eq!(Unit::Seconds.show(0.987), "0.99 s");
    }
}
