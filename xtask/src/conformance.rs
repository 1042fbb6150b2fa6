//! Asks the real server what its OpenAPI document allows, and more, with schemathesis: no fault, and no answer that the document
//! does not describe. The tool comes through pip, into an environment of its own beside the build folder.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{place::Place, process, setup};

/// The tool, in the version that the script was written for.
const TOOL: &str = "schemathesis==4.32.5";

/// How long fetching the tool may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(10 * 60);

/// How long all questions may take.
const RUN_LIMIT: Duration = Duration::from_secs(60 * 60);

/// Runs it against this program, or a release build.
pub(crate) fn run(place: &Place, program: Option<PathBuf>, examples: u32) -> Result<()> {
    let program = program.map_or_else(|| place.build_holdfast(), Ok)?;
    let python = environment(&place.target)?;
    let mut command = Command::new(python);
    command.arg(place.root.join("xtask/conformance/run.py")).arg(program).arg(examples.to_string());
    process::run(&mut command, RUN_LIMIT).context("the server and its OpenAPI document disagree")
}

/// Python with the tool, made if need be.
fn environment(target: &Path) -> Result<PathBuf> {
    let folder = target.join("conformance");
    let (python, stamp) = (folder.join("bin/python"), folder.join(TOOL));
    if stamp.exists() {
        return Ok(python);
    }
    setup::python()?;
    eprintln!("xtask: fetching {TOOL} …");
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), INSTALL_LIMIT)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOOL]);
    process::run(&mut install, INSTALL_LIMIT).with_context(|| format!("cannot install {TOOL}"))?;
    std::fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}
