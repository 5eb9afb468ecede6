use crate::Test;
use crate::launch::{Network, mpirun};
use crate::run_files::{assert_same, contents};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("jobs_come_to_the_files_of_one_process", same_files),
    (
        "walk_forwards_come_to_the_files_of_one_process",
        same_windows,
    ),
    ("a_job_that_is_stopped_or_killed_goes_on", goes_on),
    ("a_job_says_once_what_is_wrong", says_once),
];

const PROGRAM: &str = env!("CARGO_BIN_EXE_deephedge");

/// A job that has not ended by then is killed.
const SECONDS: u32 = 300;

const STUDY: &str = r#"
name = "job"
seed = 3
[market]
model = "gbm"
volatility = 0.2
[markets.calm]
volatility = 0.1
[contract]
expiry_days = 5
days_per_year = 365
[costs]
proportional = 0.002
[risk]
level = 0.5
[policy]
hidden = 3
[training]
steps = STEPS
paths = 300
validation_paths = 300
validation_period = 3
[evaluation]
paths = 1000
hedges = ["naked", "black_scholes", "whalley_wilmott"]
[optimizers.adam]
[optimizers.kfac]
curvature_paths = 160
"#;

/// A folder of a test, empty.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mpi-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn strategy(folder: &Path, steps: usize, more: &str) -> String {
    let path = folder.join("job.toml");
    let text = STUDY.replace("STEPS", &steps.to_string());
    std::fs::write(&path, format!("{text}{more}")).unwrap();
    path.display().to_string()
}

/// The program as several ranks; as one it has no launcher.
fn job(ranks: usize, network: Network, arguments: &[&str], runs: &Path) -> Command {
    let mut command = match ranks {
        1 => Command::new(PROGRAM),
        _ => mpirun(ranks, network, SECONDS, PROGRAM),
    };
    command.args(arguments).arg("--runs").arg(runs);
    command
}

fn done(command: &mut Command, what: &str) -> Output {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{errors}",
        output.status
    );
    output
}

/// The one run in `runs`, once it is there.
fn run_in(runs: &Path) -> Option<PathBuf> {
    let mut found = std::fs::read_dir(runs).ok()?.flatten();
    let run = found.find(|run| !run.file_name().to_string_lossy().starts_with('.'));
    run.map(|run| run.path())
}

/// Fails naming the files of the one run in `runs` that differ from what is expected.
fn assert_run(runs: &Path, expected: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert_same(&contents(&run_in(runs).unwrap()), expected, what);
}

/// The same files for one process and several ranks, whatever carries their messages and however they are grouped.
fn same(name: &str, arguments: &[&str], jobs: &[(usize, Network)]) {
    let folder = scratch(name);
    let runs = |ranks: usize| folder.join(format!("runs-{ranks}"));
    done(
        &mut job(1, Network::SharedMemory, arguments, &runs(1)),
        name,
    );
    let expected = contents(&run_in(&runs(1)).unwrap());
    for &(ranks, network) in jobs {
        let what = format!("{name}: {ranks} ranks, {network:?}");
        let output = done(&mut job(ranks, network, arguments, &runs(ranks)), &what);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.matches("report: ").count(), 1, "{what}: {said}");
        assert_run(&runs(ranks), &expected, &what);
    }
}

fn same_files() {
    use Network::{Loopback, SharedMemory};
    let folder = scratch("strategies");
    let file = strategy(&folder, 6, "");
    let study = ["compare", &file, "--seeds", "2", "--frontier", "0.6"];
    same("compare", &study, &[(2, SharedMemory), (3, Loopback)]);
    let tuned = ["compare", &file, "--optimizers", "adam", "--tune=4"];
    same("tune", &tuned, &[(2, Loopback)]);
    same(
        "train",
        &["train", &file],
        &[(2, SharedMemory), (3, Loopback)],
    );
    same("cross", &["cross", &file], &[(3, SharedMemory)]);
}

fn same_windows() {
    let folder = scratch("walk");
    let closes = folder.join("closes.csv");
    let mut text = "Date,Close\n".to_owned();
    let mut close = 100.0f64;
    let first = chrono::NaiveDate::from_ymd_opt(2018, 1, 1).unwrap();
    for day in 0..900u32 {
        let x = f64::from(day);
        close *= (0.01 * (x * x * 0.77).sin()).exp();
        text += &format!("{},{close}\n", first + chrono::Days::new(day.into()));
    }
    std::fs::write(&closes, text).unwrap();
    for (name, warm) in [("warm", true), ("cold", false)] {
        let more = format!(
            "[backtest]\ndata = '{}'\nspacing = \"weekly\"\n[walk_forward]\nyears = 1.0\nmonths = 6\nwarm_start = {warm}\n",
            closes.display()
        );
        let file = strategy(&folder, 4, &more);
        let arguments = ["backtest", &file, "--walk-forward"];
        let jobs = [(2, Network::SharedMemory), (3, Network::Loopback)];
        same(&format!("walk-{name}"), &arguments, &jobs);
    }
}

/// Lines that a run has written about its progress.
fn lines(runs: &Path) -> usize {
    let progress = run_in(runs).and_then(|run| std::fs::read(run.join("progress.jsonl")).ok());
    progress
        .unwrap_or_default()
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
}

/// The processes that a process has started.
fn children(parent: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task"))
        .into_iter()
        .flatten();
    let lists = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The processes of a job that run the program, in the order in which they were started, which is that of ranks.
fn ranks_of(job: &Child) -> Vec<String> {
    let (mut ranks, mut parents) = (Vec::new(), vec![job.id().to_string()]);
    while let Some(parent) = parents.pop() {
        for child in children(&parent) {
            let program = std::fs::read_link(format!("/proc/{child}/exe"));
            match program.is_ok_and(|program| program == Path::new(PROGRAM)) {
                true => ranks.push(child),
                false => parents.push(child),
            }
        }
    }
    ranks
}

/// Waits for the ranks of a job, which must end within ten seconds; its exit code.
fn ended(job: &mut Child, what: &str) -> i32 {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        if let Some(status) = job.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(ranks_of(job).is_empty(), "{what}: goes on");
    // Without ranks the job has ended, though `mpirun` has not: that of Open MPI 4.1 can wait for ever on a lock of PMIx at its end.
    let launcher = children(&job.id().to_string());
    let killed = Command::new("kill").arg("-KILL").args(&launcher).status();
    assert!(killed.unwrap().success(), "{what}: {launcher:?}");
    let status = job.wait().unwrap();
    status.code().unwrap_or(-1)
}

/// A job of which a rank is killed (kill -9) or asked to stop at any moment ends soon, and goes on on another number of ranks, to
/// the files of a run that was left alone.
fn goes_on() {
    let folder = scratch("goes-on");
    let file = strategy(&folder, 150, "");
    let study = ["compare", &file, "--seeds", "2"];
    let whole = folder.join("whole");
    done(&mut job(1, Network::SharedMemory, &study, &whole), "whole");
    let expected = contents(&run_in(&whole).unwrap());
    // The ranks, the one that is sent a signal once the run has so many lines, and the ranks that go on.
    let moments = [
        (2, 1, "-KILL", 1, 1),
        (3, 0, "-KILL", 120, 2),
        (3, 2, "-KILL", 330, 3),
        (2, 1, "-TERM", 190, 3),
        (2, 0, "-TERM", 260, 1),
    ];
    for (number, (ranks, rank, signal, enough, then)) in moments.into_iter().enumerate() {
        let what = format!("{ranks} ranks, {signal} after {enough} lines, then {then}");
        let runs = folder.join(format!("runs-{number}"));
        let mut command = job(ranks, Network::SharedMemory, &study, &runs);
        let mut running = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while lines(&runs) < enough && running.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let ids = ranks_of(&running);
        assert_eq!(ids.len(), ranks, "{what}");
        let sent = Command::new("kill").args([signal, &ids[rank]]).status();
        assert!(sent.unwrap().success());
        let code = ended(&mut running, &what);
        match signal {
            "-TERM" => assert_eq!(code, 3, "{what}"),
            _ => assert!(code != 0, "{what}"),
        }
        let run = run_in(&runs).unwrap();
        let id = run.file_name().unwrap().to_str().unwrap();
        let resume = ["compare", "--resume", id];
        done(&mut job(then, Network::SharedMemory, &resume, &runs), &what);
        assert_run(&runs, &expected, &what);
    }
}

/// What is wrong with the input is said once, with exit code 2, and leaves nothing; a command that several ranks are no use to
/// says so, and one that they would wait for for ever is refused.
fn says_once() {
    let folder = scratch("says-once");
    let file = strategy(&folder, 6, "[distributed]\nranks_per_training = 0\n");
    let run = |arguments: &[&str]| {
        let output = job(3, Network::SharedMemory, arguments, &folder.join("runs"));
        let output = { output }.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let said = errors.lines().filter(|line| line.starts_with("deephedge:"));
        let said: Vec<String> = said.map(str::to_owned).collect();
        (output.status.code(), said)
    };
    let (code, said) = run(&["compare", &file]);
    assert_eq!((code, said.len()), (Some(2), 1), "{said:?}");
    assert!(said[0].contains("ranks_per_training"), "{said:?}");
    assert!(run_in(&folder.join("runs")).is_none());
    let file = strategy(&folder, 6, "");
    let (code, said) = run(&["price", &file]);
    assert_eq!((code, said.len()), (Some(0), 1), "{said:?}");
    assert!(said[0].contains("the first of 3 does it"), "{said:?}");
    let (code, said) = run(&["serve", "--bind", "127.0.0.1:0"]);
    if cfg!(feature = "dashboard") {
        assert_eq!((code, said.len()), (Some(2), 1), "{said:?}");
        assert!(said[0].contains("one process"), "{said:?}");
    }
}
