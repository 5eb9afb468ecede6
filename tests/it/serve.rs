use super::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A server of the runs in a folder; killed when the test ends.
pub struct Server {
    process: Child,
    pub address: String,
    token: Option<&'static str>,
}

impl Server {
    pub fn start(runs: &Path) -> Self {
        Self::start_at("127.0.0.1:0", runs)
    }

    pub fn start_at(bind: &str, runs: &Path) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_deephedge"));
        Self::of(command, bind, runs, &[], None)
    }

    /// A server with further options.
    pub fn start_with_options(runs: &Path, options: &[&str]) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_deephedge"));
        Self::of(command, "127.0.0.1:0", runs, options, None)
    }

    /// A server with further options, which asks for a token.
    pub fn start_with(runs: &Path, options: &[&str], token: &'static str) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_deephedge"));
        Self::of(command, "127.0.0.1:0", runs, options, Some(token))
    }

    /// A server that may open so many files.
    #[cfg(unix)]
    fn start_with_files(files: u32, runs: &Path, options: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let line = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        command.args(["-c", &line, env!("CARGO_BIN_EXE_deephedge")]);
        Self::of(command, "127.0.0.1:0", runs, options, None)
    }

    fn of(
        mut command: Command,
        bind: &str,
        runs: &Path,
        options: &[&str],
        token: Option<&'static str>,
    ) -> Self {
        if let Some(token) = token {
            command.env("DEEPHEDGE_TOKEN", token);
        }
        let mut process = command
            .args(["serve", "--bind", bind, "--json", "--runs"])
            .arg(runs)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let url = said["url"].as_str().unwrap();
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        Self {
            process,
            address,
            token,
        }
    }

    /// SIGTERM, and the end.
    fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }

    fn open(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let token = self.token.unwrap_or("none");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
    }

    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut answer = String::new();
        self.open(method, path, &body)
            .read_to_string(&mut answer)
            .unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        if body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Uploads a file; what the server says of it.
    pub fn send(&self, path: &str, file: &str) -> Value {
        let mut answer = String::new();
        self.open("POST", path, file)
            .read_to_string(&mut answer)
            .unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// The body of an answer to a browser, as it is.
    pub fn text(&self, path: &str) -> String {
        let mut answer = String::new();
        self.open("GET", path, "")
            .read_to_string(&mut answer)
            .unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        body.to_owned()
    }

    pub fn wait_for(&self, run: &str, state: &str) -> Value {
        let start = Instant::now();
        loop {
            let job = self.ask("GET", &format!("/api/v1/jobs/{run}"), &Value::Null);
            if job["state"] == state {
                return job;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "{job}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the events of a stream until one contains `end`; false if the stream ended before.
fn read_until(stream: TcpStream, end: &str) -> bool {
    BufReader::new(stream)
        .lines()
        .map_while(|line| line.ok())
        .any(|line| line.contains(end))
}

/// Whether every thread of the process that carries out the job of a run has a lower priority than others.
#[cfg(target_os = "linux")]
fn gives_way(run: &str) -> bool {
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let carries = |process: &Path| read(process.join("cmdline")).contains(&format!("job\0{run}\0"));
    let process = processes.map(|entry| entry.path()).find(|one| carries(one));
    let threads = std::fs::read_dir(process.unwrap().join("task")).unwrap();
    let nice = threads.flatten().map(|thread| {
        let fields = read(thread.path().join("stat"));
        // After the name in parentheses the nineteenth field is the seventeenth.
        let (_, fields) = fields.rsplit_once(") ").unwrap();
        fields.split(' ').nth(16).unwrap().parse::<i32>().unwrap()
    });
    let nice: Vec<i32> = nice.collect();
    nice.len() > 1 && nice.iter().all(|&nice| nice >= 10)
}

/// A job of a server is watched as it trains, paused, resumed, interrupted by the end of the server, and finished after
/// the next one began: to the figures of the same comparison on the command line.
#[test]
fn a_job_survives_its_server() {
    let text = SMALL
        .replace("steps = 14", "steps = 3000")
        .replace("paths = 256", "paths = 32");
    let path = strategy("served", &text);
    let mut expected = compare(&path, "2");
    let runs = path.with_extension("served");

    let server = Server::start(&runs);
    let wrong = text.replace("rho = -0.7", "rho = -7.0");
    let refused = server.ask(
        "POST",
        "/api/v1/jobs",
        &json!({ "command": "compare", "strategy": wrong }),
    );
    assert_eq!(refused["error"]["field"], "market.rho");
    let job = server.ask(
        "POST",
        "/api/v1/jobs",
        &json!({ "command": "compare", "strategy": text }),
    );
    let run = job["run"].as_str().unwrap().to_owned();
    let events = format!("/api/v1/runs/{run}/events");
    assert!(read_until(
        server.open("GET", &events, ""),
        "\"event\":\"step\""
    ));
    #[cfg(target_os = "linux")]
    assert!(gives_way(&run));
    server.ask("POST", &format!("/api/v1/jobs/{run}/pause"), &Value::Null);
    server.wait_for(&run, "paused");
    server.ask("POST", &format!("/api/v1/jobs/{run}/resume"), &Value::Null);
    server.wait_for(&run, "running");
    // The stream of a watcher ends with the server, and does not hold it up.
    let watched = server.open("GET", &events, "");
    server.stop();
    assert!(!read_until(watched, "\"state\":\"complete\""));

    let server = Server::start(&runs);
    let job = server.ask("GET", &format!("/api/v1/jobs/{run}"), &Value::Null);
    assert_eq!(job["state"], "interrupted", "{job}");
    server.ask("POST", &format!("/api/v1/jobs/{run}/resume"), &Value::Null);
    assert!(read_until(
        server.open("GET", &events, ""),
        "\"state\":\"complete\""
    ));
    server.wait_for(&run, "finished");
    let metrics = server.ask("GET", &format!("/api/v1/runs/{run}"), &Value::Null);
    let mut found =
        json!({ "evaluation": metrics["evaluation"], "comparisons": metrics["comparisons"] });
    super::compare::remove_times(&mut found);
    super::compare::remove_times(&mut expected);
    assert_eq!(found["evaluation"], expected["evaluation"]);
    assert_eq!(found["comparisons"], expected["comparisons"]);
}

/// The stream of a run's events ends when the run is deleted.
#[test]
fn a_stream_ends_with_its_run() {
    let text = SMALL.replace("steps = 14", "steps = 10000000");
    let runs = strategy("streamed", &text).with_extension("runs");
    let server = Server::start(&runs);
    let job = json!({ "command": "compare", "strategy": text });
    let job = server.ask("POST", "/api/v1/jobs", &job);
    let run = job["run"].as_str().unwrap();
    server.ask("POST", &format!("/api/v1/jobs/{run}/cancel"), &Value::Null);
    server.wait_for(run, "cancelled");
    let stream = server.open("GET", &format!("/api/v1/runs/{run}/events"), "");
    let mut lines = BufReader::new(stream).lines().map_while(|line| line.ok());
    assert!(lines.any(|line| line.contains("\"state\":\"stopped\"")));
    let deleted = server.ask("DELETE", &format!("/api/v1/runs/{run}"), &Value::Null);
    assert!(deleted.is_null(), "{deleted}");
    assert!(!lines.any(|line| line.contains("\"state\"")));
}

/// More connections than the server may open files, with half a request each or none: who comes after them is answered,
/// and the server ends when it is told to.
#[cfg(unix)]
#[test]
fn half_sent_requests_do_not_stop_the_server() {
    let runs = scratch().join("half_sent");
    let server = Server::start_with_files(96, &runs, &[]);
    let mut held = Vec::new();
    for half in ["", "GET / HTTP/1.1\r\nHost: localh"] {
        held.extend((0..100).map(|_| {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            // Some have been closed already, for the others.
            let _ = stream.write_all(half.as_bytes());
            stream
        }));
        let list = server.ask("GET", "/api/v1/runs", &Value::Null);
        assert_eq!(list["total"], 0, "{list}");
    }
    server.stop();
}

/// A strategy that names a pipe, at which a reader would wait for ever, is refused at once; a reader that waits in the
/// folder of runs holds up neither others nor the end of the server.
#[cfg(unix)]
#[test]
fn a_pipe_holds_nothing_up() {
    let make_pipe = |path: &Path| {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    };
    let data = scratch().join("piped_data");
    std::fs::create_dir_all(&data).unwrap();
    make_pipe(&data.join("prices.csv"));
    let runs = scratch().join("piped");
    let server = Server::start_with_files(256, &runs, &["--data-dir", data.to_str().unwrap()]);
    let text = format!("{SMALL}[backtest]\ndata = \"prices.csv\"\n");
    for command in ["compare", "walk_forward"] {
        let job = json!({ "command": command, "strategy": text });
        let refused = server.ask("POST", "/api/v1/jobs", &job);
        assert_eq!(refused["error"]["field"], "backtest.data", "{refused}");
    }
    let job = json!({ "command": "compare", "strategy": SMALL });
    let run = server.ask("POST", "/api/v1/jobs", &job)["run"].clone();
    let run = run.as_str().unwrap();
    server.wait_for(run, "finished");
    let metrics = runs.join(run).join("metrics.json");
    std::fs::remove_file(&metrics).unwrap();
    make_pipe(&metrics);
    let waiting = server.open("GET", &format!("/api/v1/runs/{run}"), "");
    let form = server.ask("GET", "/api/v1/strategy/form", &Value::Null);
    assert!(form["sections"].is_array(), "{form}");
    server.stop();
    drop(waiting);
}
