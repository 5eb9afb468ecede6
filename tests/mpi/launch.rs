use deephedge::distributed::Ranks;
use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

/// The variable that tells a process started by [`play`] which part it plays.
pub const PART: &str = "DEEPHEDGE_MPI_TEST";

/// What each of several ranks does, by a name; its exit code.
pub type Part = (&'static str, fn(&Ranks) -> u8);

/// What carries the messages of a job.
#[derive(Debug, Clone, Copy)]
pub enum Network {
    SharedMemory,
    /// TCP through the loopback interface.
    Loopback,
}

/// All networks.
pub const NETWORKS: [Network; 2] = [Network::SharedMemory, Network::Loopback];

/// Whether `mpirun` can be started.
pub fn is_installed() -> bool {
    let version = Command::new("mpirun")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// A command that starts `program` as several ranks of one thread each. It is killed after `seconds`.
pub fn mpirun(ranks: usize, network: Network, seconds: u32, program: impl AsRef<OsStr>) -> Command {
    let transport = match network {
        Network::SharedMemory => "--mca btl vader,self",
        Network::Loopback => "--mca btl tcp,self --mca btl_tcp_if_include lo",
    };
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=5", &seconds.to_string(), "mpirun"])
        .args("--oversubscribe --bind-to none --mca pml ob1".split(' '))
        .args(transport.split(' '))
        .args(["-n", &ranks.to_string()])
        .arg(program)
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .env("RAYON_NUM_THREADS", "1")
        .stdin(Stdio::null());
    command
}

/// What comes of several ranks of this binary that play a part.
pub fn play(part: &str, ranks: usize, network: Network) -> Output {
    let this = std::env::current_exe().expect("this binary has a path");
    mpirun(ranks, network, 120, this)
        .env(PART, part)
        .output()
        .expect("mpirun starts")
}

/// Asserts that a job has ended well.
pub fn assert_done(output: &Output, what: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{errors}",
        output.status
    );
}
