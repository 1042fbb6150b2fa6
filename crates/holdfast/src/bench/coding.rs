//! Parity of six data units, computed by one thread, beside copying the same units.

use std::{hint::black_box, time::Duration};

use anyhow::Context;
use stripe::Codec;
use tokio::{task::spawn_blocking, time::Instant};

use super::{
    Scale,
    figures::{Goal, Limit, Row, Series, Unit},
    pattern::Pattern,
    stream::gigabytes,
};

/// Data units of a stripe.
const DATA: usize = 6;

/// Units: one that stays in a core's own cache with the rest of its stripe, and the size that files have.
const UNITS: [usize; 2] = [64 << 10, 1 << 20];

/// How long one run goes on.
const PERIOD: Duration = Duration::from_millis(500);

/// Calls between two looks at the clock.
const CALLS: u64 = 16;

pub(super) async fn rows(scale: Scale) -> anyhow::Result<Vec<Row>> {
    let runs = scale.stream_runs;
    spawn_blocking(move || UNITS.into_iter().map(|unit| row(unit, runs)).collect()).await?
}

fn row(unit: usize, runs: usize) -> anyhow::Result<Row> {
    let codec = Codec::new(DATA, 2)?;
    // One run of bytes that is cut, as in an upload, not six buffers that lie wherever they come to lie.
    let mut stripe = vec![0; DATA * unit];
    for (index, data) in stripe.chunks_mut(unit).enumerate() {
        data.copy_from_slice(&Pattern::new(index as u64).block(0)[..unit]);
    }
    let data: Vec<&[u8]> = stripe.chunks(unit).collect();
    let (mut p, mut q) = (vec![0; unit], vec![0; unit]);
    let mut copy = vec![0; DATA * unit];
    let (mut coded, mut copied) = (Vec::new(), Vec::new());
    // The first run of each warms up.
    for run in 0..=runs {
        let speed = repeat(DATA * unit, || {
            codec.encode(black_box(&data), &mut [&mut p, &mut q]).context("units that fit")?;
            black_box((&p, &q));
            Ok(())
        })?;
        let limit = repeat(DATA * unit, || {
            copy.copy_from_slice(black_box(&stripe));
            black_box(&copy);
            Ok(())
        })?;
        if run > 0 {
            coded.push(speed);
            copied.push(limit);
        }
    }
    let kibibytes = unit >> 10;
    Ok(Row {
        name: format!("coding-{kibibytes}-kib"),
        title: format!("erasure coding 6+2, one core, units of {kibibytes} KiB, {}", stripe::kernel_name()),
        unit: Unit::GigabytesPerSecond,
        measured: Series::new(coded)?,
        limit: Some(Limit { what: "copying the same six units".into(), series: Series::new(copied)? }),
        goal: Goal::AtLeast(10.0),
        details: Vec::new(),
    })
}

/// How many bytes per second go through the work, in 10⁹.
fn repeat(bytes: usize, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (began, mut calls) = (Instant::now(), 0_u64);
    while began.elapsed() < PERIOD {
        for _ in 0..CALLS {
            work()?;
        }
        calls += CALLS;
    }
    Ok(gigabytes(calls * bytes as u64, began.elapsed()))
}
