use super::compare::remove_times;
use super::serve::Server;
use super::*;
use serde_json::{Value, json};

/// Two optimizers, two seeds, a further length and a further risk level: ten trainings.
const JOB: [&str; 3] = ["--seeds=2", "--lengths=5", "--frontier=0.5"];

/// Trains a shard of a job into a folder of runs of its own, and gives that run's folder.
fn trained(command: &[&str], shard: &str, runs: &Path) -> PathBuf {
    let mut arguments = command.to_vec();
    arguments.extend(["--shard", shard]);
    let said = document(&arguments, runs, "1");
    let (number, of) = shard.split_once('/').unwrap();
    let numbers = |text: &str| text.parse::<u64>().unwrap();
    assert_eq!(
        said["shard"],
        json!({ "number": numbers(number), "of": numbers(of) })
    );
    assert_eq!(said["trained"], said["trainings"]);
    let folder = runs.join(said["run"].as_str().unwrap());
    for file in ["metrics.json", "evaluation.parquet", "report.html"] {
        assert!(!folder.join(file).exists(), "{file}");
    }
    folder
}

/// Merges `shards` under `runs`.
fn merged(shards: &[&Path], runs: &Path) -> Value {
    let mut arguments = vec!["runs", "merge"];
    arguments.extend(shards.iter().map(|shard| shard.to_str().unwrap()));
    document(&arguments, runs, "2")
}

/// What a merge is refused with, which leaves no run behind.
fn refusal(shards: &[&Path], runs: &Path) -> String {
    let mut arguments = vec!["runs", "merge", "--runs", runs.to_str().unwrap()];
    arguments.extend(shards.iter().map(|shard| shard.to_str().unwrap()));
    let output = deephedge(&arguments, "1");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(only_run(runs).is_none());
    said
}

/// The files below a run's folder that a result is made of, by name; of JSON files the text without times and names of runs.
fn results(run: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    collect(run, run, &mut found);
    found.sort();
    found
}

fn collect(run: &Path, folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(run, &path, found);
            continue;
        }
        let name = path.strip_prefix(run).unwrap().display().to_string();
        let mut bytes = std::fs::read(&path).unwrap();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("json") => {
                let mut value: Value = serde_json::from_slice(&bytes).unwrap();
                remove_times(&mut value);
                bytes = value.to_string().into_bytes();
            }
            Some("toml" | "parquet" | "safetensors") => {}
            // Pages and figures show times, and progress is told as it comes.
            _ => bytes.clear(),
        }
        found.push((name, bytes));
    }
}

fn assert_alike(found: &Path, expected: &Path) {
    let (found, expected) = (results(found), results(expected));
    let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&found), names(&expected));
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        assert!(found == expected, "{name}");
    }
}

/// Three shards, trained under roots of their own and one of them stopped and gone on with, make the run of one process: the
/// same files, and the same bytes of policies, tables and results apart from times. Its progress has all trainings.
#[test]
fn merged_shards_are_the_run_of_one_process() {
    let text = format!("{SMALL}[backtest]\ndata = '{HISTORY}'\nstart = \"2017-01-01\"\n")
        .replace("steps = 14", "steps = 200")
        .replace("paths = 256", "paths = 32");
    let path = strategy("shards", &text);
    let mut command = vec!["compare", path.to_str().unwrap()];
    command.extend(JOB);
    let whole = path.with_extension("whole");
    let expected = document(&command, &whole, "2");
    let roots = [1, 2, 3].map(|number| path.with_extension(format!("shard-{number}")));
    let first = trained(&command, "1/3", &roots[0]);
    let third = trained(&command, "3/3", &roots[2]);
    let second = stopped(&command, "2/3", &roots[1]);
    let id = second.file_name().unwrap().to_str().unwrap();
    let listed = document(&["runs", "list"], &roots[1], "1");
    let said = listed["runs"][0]["name"].as_str().unwrap();
    let of = listed["runs"][0]["shard"].clone();
    assert_eq!(
        (&listed["runs"][0]["state"], of),
        (&json!("stopped"), json!({ "number": 2, "of": 3 }))
    );
    assert!(said.starts_with("shard 2 of 3, "), "{said}");
    assert!(
        said.ends_with(&format!("go on with `compare --resume {id}`")),
        "{said}"
    );
    let runs = path.with_extension("runs");
    let said = refusal(&[&first, &second, &third], &runs);
    assert!(said.contains(&format!("`compare --resume {id}`")), "{said}");

    let again = document(&["compare", "--resume", id], &roots[1], "1");
    assert_eq!(again["trained"], again["trainings"]);
    // What is trained is trained, however often it is asked for.
    assert_eq!(
        document(&["compare", "--resume", id], &roots[1], "1"),
        again
    );
    let listed = document(&["runs", "list"], &roots[1], "1");
    assert_eq!(listed["runs"][0]["state"], "trained");
    let shown = deephedge(
        &["runs", "show", id, "--runs", roots[1].to_str().unwrap()],
        "1",
    );
    assert_eq!(shown.status.code(), Some(2));
    let said = String::from_utf8(shown.stderr).unwrap();
    assert!(
        said.contains("shard 2 of 3, trained; it has no results of its own"),
        "{said}"
    );

    let mut found = merged(&[&third, &first, &second], &runs);
    let (run, reference) = (
        runs.join(found["run"].as_str().unwrap()),
        whole.join(expected["run"].as_str().unwrap()),
    );
    assert_alike(&run, &reference);
    let mut expected = expected;
    remove_times(&mut expected);
    let seconds = |folder: &Path, of: &str| {
        let kept = std::fs::read(folder.join(format!("trainings/{of}.json"))).unwrap();
        serde_json::from_slice::<Value>(&kept).unwrap()["seconds"].clone()
    };
    let row = &found["evaluation"][0];
    let of = format!("{}-{}", row["strategy"].as_str().unwrap(), row["seed"]);
    let trainer = [&first, &second, &third]
        .into_iter()
        .find(|shard| shard.join(format!("trainings/{of}.json")).is_file());
    assert_eq!(row["seconds"], seconds(trainer.unwrap(), &of));
    remove_times(&mut found);
    assert_eq!(found, expected);
    let begun = |run: &Path| {
        let text = std::fs::read_to_string(run.join("progress.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut begun: Vec<String> = lines
            .filter(|line: &Value| line["event"] == "training" && line["from"] == 0)
            .map(|line| format!("{} {}", line["strategy"], line["seed"]))
            .collect();
        begun.sort();
        begun
    };
    assert_eq!(begun(&run), begun(&reference));
}

/// A shard that is asked to stop in its first training.
fn stopped(command: &[&str], shard: &str, runs: &Path) -> PathBuf {
    let mut process = Command::new(env!("CARGO_BIN_EXE_deephedge"))
        .args(command)
        .args(["--shard", shard, "--runs", runs.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = || {
        let progress = only_run(runs).map(|run| run.join("progress.jsonl"));
        let text = progress.and_then(|file| std::fs::read_to_string(file).ok());
        text.map_or(0, |text| text.lines().count())
    };
    while lines() < 20 {
        assert!(process.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    let pid = process.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    only_run(runs).unwrap()
}

/// Shards that are missing, there twice, of another job or damaged are named in one line, and nothing is written; with
/// `--delete` the shards go once their run has its results.
#[test]
fn shards_that_do_not_make_a_job_are_refused() {
    let path = strategy("shards-refused", SMALL);
    let command = ["compare", path.to_str().unwrap(), "--steps=2"];
    let (shards, runs) = (path.with_extension("shards"), path.with_extension("runs"));
    let [first, second, again] = ["1/2", "2/2", "2/2"].map(|k| trained(&command, k, &shards));
    let said = refusal(&[&second], &runs);
    assert!(said.contains("shard 1 of 2 is missing"), "{said}");
    let said = refusal(&[&second, &first, &again], &runs);
    assert!(said.contains("shard 2 of 2 is there twice"), "{said}");
    let other = ["compare", path.to_str().unwrap(), "--steps=3"];
    let foreign = trained(&other, "2/2", &path.with_extension("foreign"));
    let said = refusal(&[&first, &foreign], &runs);
    let expected = "`training.steps` is 3, there it is 2";
    assert!(said.contains(expected), "{said}");

    let policy = again.join("policies").join("kfac-3.safetensors");
    let training = again.join("trainings").join("kfac-3.json");
    let (weights, kept) = (
        std::fs::read(&policy).unwrap(),
        std::fs::read(&training).unwrap(),
    );
    for (file, whole) in [(&policy, weights), (&training, kept)] {
        let name = file.file_name().unwrap().to_str().unwrap();
        std::fs::write(file, &whole[..whole.len() / 2]).unwrap();
        let said = refusal(&[&first, &again], &runs);
        assert!(said.contains(name), "{said}");
        std::fs::write(file, &whole).unwrap();
    }
    std::fs::remove_file(&policy).unwrap();
    let said = refusal(&[&first, &again], &runs);
    assert!(said.contains("kfac-3.safetensors"), "{said}");

    // By the beginnings of their ids, in the folder in which they lie.
    let id = |shard: &Path| shard.file_name().unwrap().to_str().unwrap().to_owned();
    let names = [id(&first), id(&second)];
    let arguments = ["runs", "merge", &names[0], &names[1], "--delete"];
    let found = document(&arguments, &shards, "1");
    assert!(shards.join(found["run"].as_str().unwrap()).is_dir());
    assert!(!first.exists() && !second.exists() && again.is_dir());
}

/// What cannot be a shard is bad input: more shards than trainings, a number out of range, and a search for settings,
/// on whose winner the trainings depend.
#[test]
fn what_cannot_be_shared_out_is_refused() {
    let path = strategy("shards-bad", SMALL);
    let file = path.to_str().unwrap();
    let runs = path.with_extension("runs");
    for (arguments, expected) in [
        (
            ["compare", file, "--shard=1/3", "--seeds=1"],
            "N must be at most 2",
        ),
        (
            ["compare", file, "--shard=3/2", "--seeds=1"],
            "K/N with K from 1 to N",
        ),
        (
            ["compare", file, "--shard=1/2", "--tune=4"],
            "share out the strategy.toml",
        ),
        (
            ["backtest", file, "--shard=1/2", "--start=2010-01-01"],
            "--walk-forward",
        ),
    ] {
        let mut all = arguments.to_vec();
        all.extend(["--runs", runs.to_str().unwrap()]);
        let output = deephedge(&all, "1");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    assert!(only_run(&runs).is_none());
}

/// A comparison across markets in shards: the results and the tables are those of one process.
#[test]
fn markets_are_shared_out() {
    let text = SMALL.to_string() + "[markets.turbulent]\nv0 = 0.16\ntheta = 0.16\n";
    let path = strategy("shards-cross", &text);
    let command = ["cross", path.to_str().unwrap(), "--steps=3", "--seeds=2"];
    let whole = path.with_extension("whole");
    let mut expected = document(&command, &whole, "2");
    let shards = path.with_extension("shards");
    let folders = ["1/3", "2/3", "3/3"].map(|shard| trained(&command, shard, &shards));
    let runs = path.with_extension("runs");
    let mut found = merged(&folders.each_ref().map(PathBuf::as_path), &runs);
    let folder = |document: &Value, runs: &Path| runs.join(document["run"].as_str().unwrap());
    assert_alike(&folder(&found, &runs), &folder(&expected, &whole));
    remove_times(&mut found);
    remove_times(&mut expected);
    assert_eq!(found, expected);
}

/// The dashboard tells shards from runs that were stopped: in its lists, on their pages and in what they will train. They have
/// no results to ask for, and can be deleted.
#[test]
fn the_server_tells_shards() {
    let path = strategy("shards-served", SMALL);
    let command = ["compare", path.to_str().unwrap(), "--steps=2"];
    let runs = path.with_extension("runs");
    let done = trained(&command, "1/2", &runs);
    let other = trained(&command, "2/2", &runs);
    std::fs::remove_dir_all(other.join("trainings")).unwrap();
    let id = |shard: &Path| shard.file_name().unwrap().to_str().unwrap().to_owned();
    let (done, other) = (id(&done), id(&other));
    let server = Server::start(&runs);
    let get = |address: &str| server.ask("GET", address, &Value::Null);
    let listed = |state: &str| get(&format!("/api/v1/runs?state={state}"))["runs"].clone();
    let [trained, stopped] = ["trained", "stopped"].map(|state| listed(state)[0].clone());
    assert_eq!(
        (&trained["run"], &trained["shard"], &trained["trained"]),
        (&json!(done), &json!({ "number": 1, "of": 2 }), &json!(1))
    );
    assert_eq!(
        (&stopped["run"], &stopped["shard"], &stopped["trained"]),
        (&json!(other), &json!({ "number": 2, "of": 2 }), &json!(0))
    );
    let page = server.text("/");
    assert!(page.contains("shard 1 of 2, trained"), "{page}");
    assert!(
        page.contains("shard 2 of 2, 0 of 1 trainings, stopped"),
        "{page}"
    );
    let live = get(&format!("/api/v1/runs/{done}/live"));
    assert_eq!(live["trainings"].as_array().unwrap().len(), 1);
    let job = get(&format!("/api/v1/jobs/{done}"));
    assert_eq!(
        (&job["state"], &job["trained"]),
        (&json!("finished"), &json!(1))
    );
    let page = server.text(&format!("/runs/{done}"));
    assert!(page.contains("1 of 2"), "{page}");
    let refused = get(&format!("/api/v1/runs/{done}"));
    let said = refused["error"]["message"].as_str().unwrap();
    assert!(said.contains("shard 1 of 2, trained"), "{said}");
    // As a job a shard goes on with its own share.
    server.ask("POST", &format!("/api/v1/jobs/{other}/resume"), &json!({}));
    assert_eq!(server.wait_for(&other, "finished")["trained"], 1);
    server.ask("DELETE", &format!("/api/v1/runs/{done}"), &Value::Null);
    assert_eq!(listed("trained")[0]["run"], json!(other));
}

/// Walk-forwards in two shards, with and without a warm start, are those of one process: every window's files, results, tables
/// and page. With a warm start a shard has an optimizer in all windows, and no more shards than optimizers.
#[test]
fn windows_are_shared_out() {
    for warm in [true, false] {
        let text = SMALL.replace("steps = 14", "steps = 3")
            + &format!(
                "[backtest]\ndata = '{HISTORY}'\nstart = \"2010-01-01\"\nspacing = \"monthly\"\n\
                 [walk_forward]\nyears = 3.0\nmonths = 60\nwarm_start = {warm}\n"
            );
        let path = strategy(&format!("shards-walk-{warm}"), &text);
        let command = ["backtest", path.to_str().unwrap(), "--walk-forward"];
        let whole = path.with_extension("whole");
        let expected = document(&command, &whole, "2");
        let shards = path.with_extension("shards");
        let first = trained(&command, "1/2", &shards);
        let second = trained(&command, "2/2", &shards);
        let policies = |shard: &Path, window: &str| {
            let folder = shard.join("windows").join(window).join("policies");
            let policies = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let mut names: Vec<String> = policies
                .map(|file| file.file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        if warm {
            for window in ["00", "01"] {
                assert_eq!(policies(&first, window), ["adam-3.safetensors"]);
                assert_eq!(policies(&second, window), ["kfac-3.safetensors"]);
            }
        }
        // A shard is trained when it is asked again, from what it has or anew.
        let id = second.file_name().unwrap().to_str().unwrap();
        let weights = second.join("windows/00/policies/kfac-3.safetensors");
        let bytes = std::fs::read(&weights).unwrap();
        std::fs::remove_file(second.join("windows/00/trainings/kfac-3.json")).unwrap();
        std::fs::remove_file(&weights).unwrap();
        let listed = document(&["runs", "list"], &shards, "1");
        let said =
            format!("shard 2 of 2, 1 of 2 trainings; go on with `backtest {id} --walk-forward`");
        assert_eq!(listed["runs"][0]["name"], said.as_str());
        document(&["backtest", id, "--walk-forward"], &shards, "1");
        assert_eq!(std::fs::read(&weights).unwrap(), bytes);

        let runs = path.with_extension("runs");
        let mut found = merged(&[&second, &first], &runs);
        let folder = |document: &Value, runs: &Path| runs.join(document["run"].as_str().unwrap());
        let (run, reference) = (folder(&found, &runs), folder(&expected, &whole));
        assert_alike(&run, &reference);
        let page = |run: &Path| std::fs::read_to_string(run.join("walk_forward.md")).unwrap();
        assert_eq!(page(&run), page(&reference));
        let mut expected = expected;
        remove_times(&mut expected);
        remove_times(&mut found);
        assert_eq!(found, expected);

        let file = path.to_str().unwrap();
        let most = if warm { 2 } else { 4 };
        let too_many = ["backtest", file, "--walk-forward", "--shard=1/5"];
        let output = deephedge(&too_many, "1");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(&format!("N must be at most {most}, ")),
            "{said}"
        );
    }
}

/// The scripts of the page *Running on a cluster*, with `srun` and `scontrol` played by scripts: an array of two jobs, of which
/// one is stopped, puts itself into the queue and goes on, and the job that merges them.
#[test]
fn the_scripts_of_the_page_run() {
    let text = SMALL
        .replace("steps = 14", "steps = 400")
        .replace("paths = 256", "paths = 32");
    let path = strategy("shards-array", &text);
    let place = path.with_extension("array");
    let programs = place.join("bin");
    std::fs::create_dir_all(&programs).unwrap();
    let program = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let file = programs.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    program("srun", "exec \"$@\"");
    program("scontrol", "echo \"$@\" >> requeued");
    let binary = Path::new(env!("CARGO_BIN_EXE_deephedge"));
    let search = format!(
        "{}:{}:{}",
        programs.display(),
        binary.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let script = |name: &str, arguments: &[&str], task: &str| {
        let file = format!("{}/docs/cluster/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("bash");
        command
            .arg(file)
            .args(arguments)
            .current_dir(&place)
            .env("PATH", &search)
            .env("SLURM_ARRAY_JOB_ID", "4711")
            .env("SLURM_ARRAY_TASK_ID", task)
            .stderr(std::process::Stdio::piped());
        command
    };
    let job = ["2", path.to_str().unwrap(), "--seeds=1"];
    let done = script("array.sh", &job, "1").output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");

    // As Slurm signals the step, which is not the script.
    let interrupted = "\"$@\" & while ! grep -q step shards/4711/2/*/progress.jsonl 2> /dev/null; do :; done; \
                       kill $!; wait $!";
    program("srun", interrupted);
    let stopped = script("array.sh", &job, "2").output().unwrap();
    assert_eq!(stopped.status.code(), Some(3));
    let requeued = std::fs::read_to_string(place.join("requeued")).unwrap();
    assert_eq!(requeued, "requeue 4711_2\n");
    let early = script("merge.sh", &["4711"], "").output().unwrap();
    assert_eq!(early.status.code(), Some(2));
    program("srun", "exec \"$@\"");
    let again = script("array.sh", &job, "2").output().unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success(), "{said}");
    let merged = script("merge.sh", &["4711"], "").output().unwrap();
    let said = String::from_utf8_lossy(&merged.stderr);
    assert!(merged.status.success(), "{said}");
    assert!(
        only_run(&place.join("runs"))
            .unwrap()
            .join("metrics.json")
            .is_file()
    );
}
