//! Child processes: each ends in time, and none outlives the task that started it.

use std::{
    fmt,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};

/// How often a waiting loop looks again.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// How long a process group has to end after it was asked politely.
const GRACE: Duration = Duration::from_secs(10);

/// Set by the first SIGINT, SIGTERM or SIGHUP. A task that sees it returns an error, and its guards clean up.
static STOPPED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From here on signals set a flag in place of ending the process. A second signal of the kind ends it at once.
pub(crate) fn watch_signals() -> Result<()> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        flag,
    };
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&STOPPED))
            .and_then(|_| flag::register(signal, Arc::clone(&STOPPED)))
            .context("cannot watch for signals")?;
    }
    Ok(())
}

/// An error as soon as a signal has asked this task to stop.
pub(crate) fn check_stopped() -> Result<()> {
    if STOPPED.load(Ordering::Relaxed) {
        bail!("stopped by a signal");
    }
    Ok(())
}

/// A child that ended otherwise than well.
#[derive(Debug)]
struct Failed {
    program: String,
    status: ExitStatus,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ended with {}", self.program, self.status)
    }
}

impl std::error::Error for Failed {}

/// The exit code for an error: that of the child which failed, where one did.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    let status = error.chain().find_map(|cause| cause.downcast_ref::<Failed>()).map(|failed| failed.status);
    ExitCode::from(status.map_or(1, code_of))
}

/// The exit code as a shell would give it: the child's own, or 128 + the signal that ended it.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(1);
    u8::try_from(code).ok().filter(|code| *code != 0).unwrap_or(1)
}

/// Runs a command to its end. After `limit`, or when this task is asked to stop, its whole process group is ended.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<()> {
    let program = describe(command);
    let child = command.stdin(Stdio::null()).process_group(0).spawn();
    let mut group = Group(child.with_context(|| format!("cannot start `{program}`"))?);
    let started = Instant::now();
    loop {
        if let Some(status) = group.0.try_wait().with_context(|| format!("cannot wait for `{program}`"))? {
            if !status.success() {
                return Err(Failed { program, status }.into());
            }
            return Ok(());
        }
        check_stopped()?;
        if started.elapsed() > limit {
            bail!("`{program}` hangs: it was ended after {} minutes", limit.as_secs() / 60);
        }
        thread::sleep(POLL);
    }
}

/// Runs a short command and gives what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let program = describe(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{program}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failed { program, status: output.status }).context(said);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{program}` wrote something other than text"))
}

/// Asks a child to end with `signal`, waits up to `grace`, then kills it.
pub(crate) fn end(child: &mut Child, signal: Signal, grace: Duration) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    // A failure means that the child has just ended; waiting tells.
    let _ = rustix::process::kill_process(Pid::from_child(child), signal);
    if !ended_within(child, grace) {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn ended_within(child: &mut Child, grace: Duration) -> bool {
    let asked = Instant::now();
    while asked.elapsed() < grace {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        thread::sleep(POLL);
    }
    false
}

/// The program and its arguments, for messages.
fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// A child that leads a process group; dropping it ends the group, unless the child has ended by itself.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let leader = Pid::from_child(&self.0);
        // Each failure means that nobody is left in the group, which is what is wanted.
        let _ = rustix::process::kill_process_group(leader, Signal::TERM);
        ended_within(&mut self.0, GRACE);
        let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_exit_code_of_a_failed_child_is_kept() {
        let check = |script: &str, expected: u8| {
            let error = run(&mut shell(script), Duration::from_secs(60)).expect_err("fails");
            let failed = error.downcast_ref::<Failed>().expect("the child's own failure");
            assert_eq!(code_of(failed.status), expected, "{script}");
        };
        check("exit 3", 3);
        check("kill -9 $$", 137);
        assert!(run(&mut shell("true"), Duration::from_secs(60)).is_ok());
    }

    #[test]
    fn a_hanging_child_is_ended() {
        let error = run(&mut shell("sleep 600"), Duration::from_millis(100)).expect_err("runs into the limit");
        assert!(error.to_string().contains("hangs"), "{error}");
    }

    #[test]
    fn with_a_child_ends_everything_it_started() {
        let dir = tempfile::tempdir().expect("a folder");
        let note = dir.path().join("pid");
        // Written elsewhere and renamed, so that a file which is there is whole.
        let script = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", note.display());
        let group = Group(shell(&script).process_group(0).spawn().expect("sh starts"));
        let started = Instant::now();
        while !note.exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "sh does not run");
            thread::sleep(POLL);
        }
        let grandchild: u32 = std::fs::read_to_string(note).expect("written").trim().parse().expect("a process id");
        drop(group);
        // Where nobody collects orphans, what is left of an ended process has an empty command line.
        let runs = || std::fs::read(format!("/proc/{grandchild}/cmdline")).is_ok_and(|line| !line.is_empty());
        while runs() {
            assert!(started.elapsed() < Duration::from_secs(60), "the grandchild still runs");
            thread::sleep(POLL);
        }
    }

    #[test]
    fn output_carries_what_a_failing_child_said() {
        assert_eq!(output(&mut shell("echo hello")).expect("succeeds"), "hello\n");
        let error = output(&mut shell("echo no room >&2; exit 1")).expect_err("fails");
        assert!(format!("{error:#}").contains("no room"), "{error:#}");
    }
}
