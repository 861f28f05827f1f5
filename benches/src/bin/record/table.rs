//! The rows of the table: which figure each shows, the budget, and what is compared with it.

use cresset_benches::Budget;

/// Which trackers a row is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    Nobody,
    /// All of them, by the same figure as ours.
    All,
    /// Those whose call has stored the value when it returns, by their ordinary calls.
    Durable,
    /// The others, by the same figure as ours.
    Buffered,
}

/// One row.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Part and figure.
    pub(crate) figure: &'static str,
    pub(crate) budget: Budget,
    pub(crate) against: Against,
}

impl Row {
    /// The figure that other trackers are compared by.
    pub(crate) fn peer_figure(&self) -> &'static str {
        match self.against {
            Against::Durable => "scalars.call_p50_us",
            // For others all is measured in one go.
            _ if self.figure == "throughput.points_per_s" => "scalars.points_per_s",
            _ => self.figure,
        }
    }

    /// Whether more is better.
    pub(crate) fn more_is_better(&self) -> bool {
        matches!(self.budget, Budget::AtLeast(_))
    }
}

const fn row(
    name: &'static str,
    unit: &'static str,
    figure: &'static str,
    budget: Budget,
    against: Against,
) -> Row {
    Row {
        name,
        unit,
        figure,
        budget,
        against,
    }
}

use Against::{All, Buffered, Durable, Nobody};
use Budget::{AtLeast, AtMost};

#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    row("log call of 5 scalars, by handles, p50", "µs", "scalars.call_p50_us", AtMost(0.5), All),
    row("log call of 5 scalars, by handles, p99", "µs", "scalars.call_p99_us", AtMost(5.0), All),
    row("log call of 5 scalars, by keys, p50", "µs", "keys.call_p50_us", Budget::None, Nobody),
    row("log call of 5 scalars, by keys, p99", "µs", "keys.call_p99_us", Budget::None, Nobody),
    row("log call of 5 scalars, 1,000 a second, p50", "µs", "paced.call_p50_us", Budget::None, Nobody),
    row("log call of 5 scalars, 1,000 a second, p99", "µs", "paced.call_p99_us", Budget::None, Nobody),
    row("log call of 5 scalars, Written, p50", "µs", "written.call_p50_us", AtMost(5.0), Durable),
    row("points a second of processor time, to the disk", "1/s", "throughput.points_per_cpu_s", AtLeast(5e6), Nobody),
    row("points a second, to the disk", "1/s", "throughput.points_per_s", AtLeast(5e6), All),
    row("bytes a point, noisy f64", "B", "scalars.bytes_per_point", AtMost(8.0), All),
    row("bytes a point, computed in f32", "B", "narrow.bytes_per_point", AtMost(8.0), Nobody),
    row("bytes a point, noisy f64, 1,000 calls a second", "B", "paced.bytes_per_point", Budget::None, Nobody),
    row("image of 64×64 on the caller's thread, p50", "µs", "images.image_p50_us", AtMost(20.0), All),
    row("histogram of 1 M f32 on the caller's thread", "ms", "histograms.histogram_ms", AtMost(0.8), All),
    row("resident memory added", "MiB", "scalars.memory_mib", AtMost(8.0), All),
    row("start to the first log, new folder", "ms", "short.start_ms", AtMost(20.0), All),
    row("start to the first log, second run", "ms", "short.again_start_ms", AtMost(20.0), All),
    row("finish of 100 points", "ms", "short.finish_ms", AtMost(50.0), All),
    row("finish of 100 points, second run", "ms", "short.again_finish_ms", AtMost(50.0), All),
    row("start to the first log, in a git repository", "ms", "short.git_start_ms", AtMost(20.0), Nobody),
    row("finish of 100 points, in a git repository", "ms", "short.git_finish_ms", AtMost(50.0), Nobody),
    row("disabled, a value by a handle", "ns", "disabled.handle_ns", AtMost(5.0), Nobody),
    row("disabled, a call of 5 scalars", "ns", "disabled.row_ns", Budget::None, Nobody),
    row("lost by SIGKILL at 1,000 calls a second, worst", "ms", "kill.buffered_ms", AtMost(5.0), Buffered),
    row("the same, Written", "ms", "kill.written_ms", AtMost(0.0), Nobody),
    row("statistics and histogram in one pass, f32 from memory", "GB/s", "stats.gb_per_s", AtLeast(5.0), Nobody),
    row("watch at every step, share of the training thread", "%", "watch.percent", AtMost(0.5), Nobody),
];
