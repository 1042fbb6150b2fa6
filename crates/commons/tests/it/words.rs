//! Words from each process to all.

use std::time::Duration;

use base::Secret;
use commons::Commons;
use tokio::{sync::mpsc, task::JoinSet};

use crate::commons;

/// The time bounds a hang; it is not what is tested.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that listens, until its set is dropped.
pub(crate) fn listener(url: &Secret, tasks: &mut JoinSet<()>) -> (Commons, mpsc::UnboundedReceiver<String>) {
    let commons = commons(url);
    let (told, hears) = mpsc::unbounded_channel();
    let ears = commons.clone();
    tasks.spawn(async move { ears.listen(move |words| drop(told.send(words.to_owned()))).await });
    (commons, hears)
}

/// Tells again and again, until `hears` hears it: there is nobody to ask whether somebody listens already.
pub(crate) async fn until_heard(from: &Commons, hears: &mut mpsc::UnboundedReceiver<String>, words: &str) {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        // While Redis is away this is an error.
        let _ = from.publish(words).await;
        let heard = tokio::time::timeout(Duration::from_millis(100), async {
            while hears.recv().await.expect("a listener") != words {}
        });
        if heard.await.is_ok() {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{words} is not heard");
    }
}

#[tokio::test]
async fn what_one_tells_all_hear() {
    let Some(url) = testkit::redis::shared() else { return };
    let mut tasks = JoinSet::new();
    let (one, mut at_one) = listener(&url, &mut tasks);
    let (two, mut at_two) = listener(&url, &mut tasks);
    let words = |about: &str| format!("test-{}-{about}", std::process::id());
    until_heard(&one, &mut at_two, &words("one to two")).await;
    until_heard(&two, &mut at_one, &words("two to one")).await;
    until_heard(&one, &mut at_one, &words("one to itself")).await;
}
