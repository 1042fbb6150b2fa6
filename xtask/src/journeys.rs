//! The web client in a real browser against the real server: its journeys, and the pictures of its pages.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{place::Place, process, setup, web};

/// How long all journeys, or all pictures, may take.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// The journeys of CI: one for each way in which changes reach the server and come back from it, with a server that goes
/// away and random work of two browsers; a folder of 100,000 entries; and the pages of a phone without barriers. None
/// measures time.
const OF_CI: [&str; 12] = [
    "refusesAWrongPasswordAndSignsOut",
    "makesRenamesMovesAndTakesBack",
    "scrollsAHundredThousandEntries",
    "phonesHaveNoBarriers",
    "deletesWithoutAQuestionAndTakesItBack",
    "worksWithoutAConnectionAndConverges",
    "showsWhatOthersDoAndSurvivesARestart",
    "doesNothingTwiceWhenAnswersAreLost",
    "twoBrowsersConvergeAfterRandomWork",
    "findsDraftsAndEditsInOneTab",
    "uploadsAsksAndResumes",
    "visitorsSeeAndTakeWhatIsShared",
];

/// Runs the journeys whose names hold one of the words, or all, with this program, or a release build.
pub(crate) fn run(place: &Place, program: Option<PathBuf>, words: &[String]) -> Result<()> {
    let program = program.map_or_else(|| place.build_holdfast(), Ok)?;
    drive(place, &program, "tests/e2e/run.mjs", words).context("a journey failed")
}

/// Runs the journeys of CI with the server that the tests were built with.
pub(crate) fn of_ci(place: &Place) -> Result<()> {
    let words = OF_CI.map(str::to_owned);
    drive(place, &place.target.join("debug/holdfast"), "tests/e2e/run.mjs", &words).context("a journey failed")
}

/// Takes the pictures of the pages anew, with this program, or a release build.
pub(crate) fn screenshots(place: &Place, program: Option<PathBuf>, args: &[String]) -> Result<()> {
    let program = program.map_or_else(|| place.build_holdfast(), Ok)?;
    drive(place, &program, "tests/screenshots/run.mjs", args).context("a picture could not be taken")
}

fn drive(place: &Place, program: &Path, script: &str, args: &[String]) -> Result<()> {
    web::build(place)?;
    let browser = setup::chromium()?;
    let web = place.root.join("web");
    // The Node that is a package of the client: the machine's own may be older than what the journeys need.
    let mut node = Command::new(web.join("node_modules/.bin/node"));
    node.arg(script).args(args).current_dir(web);
    process::run(node.env("HOLDFAST_BIN", program).env("CHROMIUM", browser), LIMIT)
}
