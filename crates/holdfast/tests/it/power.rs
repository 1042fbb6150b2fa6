//! Power cuts that are as real as software makes them: the disk forgets whatever was not flushed.
//!
//! The file system lies on a block device whose write-back cache lives in a process (nbdkit); killing that process loses
//! the cache, as the power does. What is mounted anew afterwards is what a machine would find after a cut. Writes that
//! are torn or reordered within one flush are not modelled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    harness::{Database, PATIENCE, Shape, World, Wrap, not_run},
    load::{Load, SETTINGS, check},
};

/// A disk with a cache that can be lost, and the mount namespace that its file system is seen in.
struct Disk {
    dir: PathBuf,
    /// Holds the namespace; with its end everything is unmounted.
    holder: Child,
    cache: Option<Child>,
    block: Option<Child>,
}

impl Disk {
    /// Makes the disk with an empty file system.
    fn make(dir: &Path) -> Self {
        let holder = quiet(Command::new("unshare").args(["--mount", "--propagation", "private", "sleep", "3600"]))
            .spawn()
            .expect("unshare is everywhere");
        let disk = Self { dir: dir.to_owned(), holder, cache: None, block: None };
        let comm = format!("/proc/{}/comm", disk.holder.id());
        wait("the namespace", || fs::read_to_string(&comm).is_ok_and(|name| name.trim() == "sleep"));
        let image = fs::File::create(dir.join("image")).expect("a new file");
        image.set_len(4 << 30).expect("a sparse file");
        fs::write(dir.join("block"), "").expect("a new file");
        fs::create_dir(dir.join("mount")).expect("a new folder");
        disk.run(&["mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", &disk.path("image")]);
        disk
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    /// What puts a process in the namespace.
    fn wrap(&self) -> Wrap {
        let before = ["nsenter", "--mount", "--target", &self.holder.id().to_string(), "--"];
        Wrap { before: before.map(str::to_owned).to_vec(), env: Vec::new() }
    }

    fn command(&self, line: &[&str]) -> Command {
        let wrap = self.wrap();
        let mut command = Command::new(&wrap.before[0]);
        command.args(&wrap.before[1..]).args(line);
        command
    }

    fn run(&self, line: &[&str]) -> String {
        let done = self.command(line).output().expect("a program of the machine");
        assert!(done.status.success(), "{line:?}: {done:?}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Brings the disk up and mounts what is on it, which replays the file system's journal.
    fn on(&mut self) {
        let socket = self.path("socket");
        let _ = fs::remove_file(&socket);
        let image = self.path("image");
        let cache = ["nbdkit", "-f", "-U", &socket, "--filter=cache", "file", &image, "cache=writeback"];
        self.cache = Some(quiet(&mut self.command(&cache)).spawn().expect("nbdkit can be started"));
        wait("nbdkit", || Path::new(&socket).exists());
        let block = self.path("block");
        let device = ["nbdfuse", &block, "--unix", &socket];
        self.block = Some(quiet(&mut self.command(&device)).spawn().expect("nbdfuse can be started"));
        wait("nbdfuse", || self.run(&["stat", "-c", "%s", &block]) == (4_u64 << 30).to_string());
        let device = self.run(&["losetup", "--find", "--show", "--direct-io=off", &block]);
        self.run(&["mount", &device, &self.path("mount")]);
        // It goes when it is unmounted.
        self.run(&["losetup", "--detach", &device]);
    }

    /// The power goes: nothing that was not flushed will be seen again.
    fn cut(&mut self) {
        end(self.cache.take());
    }

    /// Takes down what is left of a disk without power.
    fn off(&mut self) {
        self.run(&["umount", "--lazy", &self.path("mount")]);
        // Busy until the kernel has given up the last writes to it.
        let _ = self.command(&["umount", "--lazy", &self.path("block")]).output();
        end(self.block.take());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        end(self.cache.take());
        let _ = self.command(&["umount", "--lazy", &self.path("mount")]).output();
        let _ = self.command(&["umount", "--lazy", &self.path("block")]).output();
        end(self.block.take());
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What is missing to make such a disk.
fn missing() -> Option<String> {
    let programs = ["nbdkit", "nbdfuse", "losetup", "mkfs.ext4", "unshare", "nsenter"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).exists());
    if let Some(program) = programs.into_iter().find(|program| !has(program)) {
        return Some(format!("there is no program `{program}`"));
    }
    if !rustix::process::geteuid().is_root() {
        return Some("only root can mount a block device".into());
    }
    ["/dev/loop-control", "/dev/fuse"].into_iter().find(|it| !Path::new(it).exists()).map(|it| format!("no {it}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_that_was_acknowledged() {
    if let Some(missing) = missing() {
        return not_run(&missing);
    }
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut disk = Disk::make(place.path());
    disk.on();
    let settings = format!("{SETTINGS}parity = 0\n[node]\nreserve = \"1 MiB\"\n");
    let wrap = |dir: &Path, _: &str| {
        // The data folder of the process is the root of the disk.
        let data = dir.join("data");
        fs::create_dir(&data).expect("a new folder");
        disk.run(&["mount", "--bind", &disk.path("mount"), &data.display().to_string()]);
        disk.run(&["rmdir", &data.join("lost+found").display().to_string()]);
        disk.wrap()
    };
    let mut world = World::start_in(Shape::Single, &settings, Database::Inside, wrap).await;
    let data = world.dir.path().join("data").display().to_string();
    let user = world.admin().await;
    let mut acknowledged = Vec::new();
    let rounds = std::env::var("HOLDFAST_CHAOS_ROUNDS").map_or(4, |text| text.parse().expect("a number of rounds"));
    for round in 0..rounds {
        let load = Load::start(vec![user.clone(); 6]);
        let enough = load.count() + 5;
        let deadline = Instant::now() + PATIENCE;
        while load.count() < enough && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300 + round * 377 % 1000)).await;
        disk.cut();
        // A moment in which everything fails, and in which nothing may be acknowledged that is not there.
        tokio::time::sleep(Duration::from_millis(100)).await;
        world.gateways[0].kill();
        acknowledged.extend(load.stop().await);
        disk.run(&["umount", "--lazy", &data]);
        disk.off();
        disk.on();
        disk.run(&["mount", "--bind", &disk.path("mount"), &data]);
        world.gateways[0].restart().await;
        for file in &acknowledged {
            let read = user.download(&file.id).await;
            assert!(read == crate::harness::bytes(file.seed, file.length), "round {round}: {} differs", file.seed);
        }
    }
    println!("power cuts: {rounds}; acknowledged: {}", acknowledged.len());
    assert!(acknowledged.len() as u64 > rounds * 5, "hardly anything was acknowledged");
    check(&user, &acknowledged).await;
}
