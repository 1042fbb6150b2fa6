//! Workers that need no database, in the runtime's paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bus::{Error, Pace, Progress, Runner, WorkError, Worker};
use testkit::clock::TestClock;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// What a unit of work does, by its number.
type Script = fn(u32) -> Step;

enum Step {
    Busy(Duration),
    Idle,
    Fail,
    Panic,
    Hang,
}

struct Scripted {
    script: Script,
    clock: TestClock,
    units: AtomicU32,
    began: Sender<(u32, Instant)>,
    ended: Sender<u32>,
}

#[async_trait]
impl Worker for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn work(&self) -> Result<Progress, WorkError> {
        let number = self.units.fetch_add(1, Ordering::SeqCst);
        self.began.send((number, Instant::now())).await?;
        match (self.script)(number) {
            Step::Busy(takes) => {
                tokio::time::sleep(takes).await;
                self.clock.advance(takes);
                self.ended.send(number).await?;
                Ok(Progress::Busy)
            }
            Step::Idle => Ok(Progress::Idle),
            Step::Fail => Err(Error::JobUnknown.into()),
            Step::Panic => panic!("a unit that panics"),
            Step::Hang => std::future::pending().await,
        }
    }

    async fn idle(&self) {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}

fn start(script: Script, pace: Pace) -> (Runner, CancellationToken, Receiver<(u32, Instant)>, Receiver<u32>) {
    let (clock, stop) = (TestClock::new(), CancellationToken::new());
    let (began, starts) = channel(100);
    let (ended, ends) = channel(100);
    let mut runner = Runner::new(clock.handle(), stop.clone());
    runner.add(Arc::new(Scripted { script, clock, units: AtomicU32::new(0), began, ended }), pace);
    (runner, stop, starts, ends)
}

/// The time between the beginnings of the first units.
async fn gaps<const N: usize>(starts: &mut Receiver<(u32, Instant)>) -> [Duration; N] {
    let mut last = starts.recv().await.expect("a unit").1;
    let mut gaps = [Duration::ZERO; N];
    for gap in &mut gaps {
        let began = starts.recv().await.expect("a unit").1;
        *gap = began - last;
        last = began;
    }
    gaps
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Timers of the runtime are a millisecond coarse.
fn close(gap: Duration, expected: Duration) -> bool {
    gap.abs_diff(expected) <= Duration::from_millis(5)
}

#[tokio::test(start_paused = true)]
async fn rest_is_a_multiple_of_work() {
    let script: Script = |number| Step::Busy(seconds(u64::from(number) % 3 + 1));
    let (runner, stop, mut starts, _ends) = start(script, Pace { tranquility: 2 });
    let gaps = gaps::<4>(&mut starts).await;
    assert!(gaps.into_iter().zip([3, 6, 9, 3]).all(|(gap, expected)| close(gap, seconds(expected))), "{gaps:?}");
    stop.cancel();
    runner.finish().await;
}

#[tokio::test(start_paused = true)]
async fn failures_and_panics_back_off_and_success_forgets_them() {
    let script: Script = |number| match number {
        0 | 5 => Step::Fail,
        1 | 2 => Step::Panic,
        4 => Step::Idle,
        _ => Step::Busy(Duration::ZERO),
    };
    let (runner, stop, mut starts, _ends) = start(script, Pace::FULL);
    let gaps = gaps::<6>(&mut starts).await;
    let expected = [500, 1000, 2000, 0, 10_000, 500].map(Duration::from_millis);
    assert!(gaps.into_iter().zip(expected).all(|(gap, expected)| close(gap, expected)), "{gaps:?}");
    stop.cancel();
    runner.finish().await;
}

#[tokio::test(start_paused = true)]
async fn stopping_lets_a_unit_end_and_begins_no_other() {
    let (runner, stop, mut starts, mut ends) = start(|_| Step::Busy(seconds(3)), Pace::FULL);
    starts.recv().await.expect("a unit");
    let began = Instant::now();
    stop.cancel();
    runner.finish().await;
    assert!(close(began.elapsed(), seconds(3)), "{:?}", began.elapsed());
    assert_eq!(ends.recv().await, Some(0));
    assert!(starts.recv().await.is_none(), "no other unit");
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_idleness_rest_or_back_off() {
    for script in [(|_| Step::Idle) as Script, |_| Step::Fail, |_| Step::Busy(seconds(1))] {
        let (runner, stop, mut starts, mut ends) = start(script, Pace { tranquility: 1000 });
        starts.recv().await.expect("a unit");
        // Long enough for the unit to end, too short for what comes after it.
        tokio::select! {
            _ = ends.recv() => {}
            () = tokio::time::sleep(Duration::from_millis(1200)) => {}
        }
        let began = Instant::now();
        stop.cancel();
        runner.finish().await;
        assert!(close(began.elapsed(), Duration::ZERO), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_does_not_end_is_dropped() {
    let (runner, stop, mut starts, _ends) = start(|_| Step::Hang, Pace::FULL);
    starts.recv().await.expect("a unit");
    let began = Instant::now();
    stop.cancel();
    runner.finish().await;
    assert!(close(began.elapsed(), seconds(5)), "{:?}", began.elapsed());
    assert!(starts.recv().await.is_none(), "the worker is gone");
}
