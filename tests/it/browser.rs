//! A headless Chromium, spoken to in its DevTools protocol over a pair of pipes.

use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Browser {
    process: Child,
    input: ChildStdin,
    said: Receiver<Value>,
    sent: u64,
    session: Option<String>,
    profile: PathBuf,
    /// What the page has asked for and not been answered.
    waiting: HashSet<String>,
    /// The addresses that pages have asked for.
    pub requests: Vec<String>,
    /// Exceptions and errors in the console.
    pub problems: Vec<String>,
}

/// Set to anything, it makes the lack of Chromium a failure.
const REQUIRED: &str = "DEEPHEDGE_REQUIRE_BROWSER";

/// Whether there is a browser to test with. If there is none, standard error hears what is not tested.
///
/// # Panics
/// If there is none although the environment variable DEEPHEDGE_REQUIRE_BROWSER demands one.
pub fn is_here(tested: &str) -> bool {
    if chromium().is_some() {
        return true;
    }
    assert!(
        std::env::var_os(REQUIRED).is_none(),
        "{REQUIRED} is set and there is no Chromium: `apt-get install chromium`"
    );
    // Not `eprintln!`, which the test harness keeps to itself.
    let _ = writeln!(
        std::io::stderr(),
        "NOT TESTED, for want of Chromium (`apt-get install chromium`): {tested}"
    );
    false
}

/// The name of the Chromium of this machine.
fn chromium() -> Option<&'static str> {
    static FOUND: LazyLock<Option<&'static str>> = LazyLock::new(|| {
        ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find(|name| {
                let version = Command::new(name).arg("--version").output();
                version.is_ok_and(|output| output.status.success())
            })
    });
    *FOUND
}

impl Browser {
    /// A browser with one empty page, where [`is_here`].
    pub fn open() -> Self {
        static PROFILES: AtomicUsize = AtomicUsize::new(0);
        let number = PROFILES.fetch_add(1, Ordering::Relaxed);
        let profile =
            std::env::temp_dir().join(format!("deephedge-browser-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&profile).unwrap();
        let chromium = chromium().expect("`is_here` was asked before");
        // With --remote-debugging-pipe the browser reads commands from descriptor 3 and answers on 4.
        let line = format!(
            "exec {chromium} --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic \
             --no-first-run --no-proxy-server --disable-background-networking --disable-component-update --disable-sync \
             --host-resolver-rules='MAP quant.example 127.0.0.1' --remote-debugging-pipe --user-data-dir='{}' 3<&0 4>&1 </dev/null >/dev/null 2>&1",
            profile.display()
        );
        let mut process = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).unwrap();
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            input: process.stdin.take().unwrap(),
            process,
            said,
            sent: 0,
            session: None,
            profile,
            waiting: HashSet::new(),
            requests: Vec::new(),
            problems: Vec::new(),
        };
        let page = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", target);
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.try_call(method, parameters)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        write!(self.input, "{message}\0").unwrap();
        loop {
            let mut answer = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|error| panic!("{method} {}: {error}", message["params"]));
            if answer["id"] != self.sent {
                self.note(&answer);
            } else if let Some(message) = answer["error"]["message"].as_str() {
                return Err(message.to_owned());
            } else {
                return Ok(answer["result"].take());
            }
        }
    }

    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        let request = parameters["requestId"].as_str().unwrap_or_default();
        let problem = match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                let url = parameters["request"]["url"].as_str().unwrap();
                self.requests.push(url.to_owned());
                self.waiting.insert(request.to_owned());
                return;
            }
            "Network.loadingFinished" | "Network.loadingFailed" => {
                self.waiting.remove(request);
                return;
            }
            // What a page asked for that has been left is not always said to have failed.
            "Page.frameNavigated" => {
                self.waiting.clear();
                return;
            }
            "Runtime.exceptionThrown" => &parameters["exceptionDetails"],
            "Runtime.consoleAPICalled" if parameters["type"] == "error" => &parameters["args"],
            "Log.entryAdded" if parameters["entry"]["level"] == "error" => &parameters["entry"],
            _ => return,
        };
        self.problems.push(problem.to_string());
    }

    pub fn go(&mut self, url: &str) {
        let gone = self.call("Page.navigate", json!({ "url": url }));
        assert!(gone["errorText"].is_null(), "{url}: {gone}");
        self.until(&format!(
            "location.href === {} && document.readyState === 'complete'",
            json!(url)
        ));
    }

    /// Goes where `url` leads to.
    pub fn visit(&mut self, url: &str) {
        let gone = self.call("Page.navigate", json!({ "url": url }));
        assert!(gone["errorText"].is_null(), "{url}: {gone}");
        self.until("document.readyState === 'complete'");
    }

    /// The size of the window and the colours that are preferred.
    pub fn show(&mut self, (width, height): (u32, u32), colors: &str) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
        let feature = json!({ "name": "prefers-color-scheme", "value": colors });
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        );
    }

    /// The page as it is laid out on paper of this size, once it has prepared for that.
    pub fn paper(&mut self, (width, height): (u32, u32)) {
        self.value("dispatchEvent(new Event('beforeprint'))");
        self.value("Promise.all([...document.images].map((image) => image.decode()))");
        self.show((width, height), "light");
        self.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    }

    /// Whether the page takes no more than so many sheets of the paper that its style sheet asks for.
    pub fn prints_at_most(&mut self, sheets: usize) -> bool {
        let next = json!({ "preferCSSPageSize": true, "pageRanges": format!("{}", sheets + 1) });
        let all = json!({ "preferCSSPageSize": true });
        self.call("Page.printToPDF", all);
        self.try_call("Page.printToPDF", next).is_err()
    }

    /// What an expression is in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let mut result = self
            .evaluate(expression)
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        result["result"]["value"].take()
    }

    fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let result = self.try_call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true }),
        )?;
        match result["exceptionDetails"].as_object() {
            Some(thrown) => Err(json!(thrown).to_string()),
            None => Ok(result),
        }
    }

    /// Waits until `condition` holds: it is looked at whenever the document changes.
    pub fn until(&mut self, condition: &str) {
        let start = Instant::now();
        let limit = PATIENCE.as_millis();
        let promise = format!(
            "new Promise((resolve) => {{
                const holds = () => {{ try {{ return Boolean({condition}); }} catch {{ return false; }} }};
                if (holds()) return resolve(true);
                const look = () => {{ if (holds()) end(true); }};
                const observer = new MutationObserver(look);
                const end = (result) => {{ observer.disconnect(); resolve(result); }};
                observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                addEventListener('load', look);
                setTimeout(() => end(false), {limit} - 5000);
            }})"
        );
        // A page that is left takes its promises with it.
        while start.elapsed() < PATIENCE {
            if let Ok(result) = self.evaluate(&promise) {
                if result["result"]["value"] == true {
                    return;
                }
                break;
            }
        }
        let page = self.value("document.querySelector('main')?.innerText.slice(0, 2000)");
        panic!(
            "not in time: {condition}\non a page with: {page}\nproblems: {:?}",
            self.problems
        );
    }

    /// Waits until all that the page has asked for is answered.
    pub fn answered(&mut self) {
        while !self.waiting.is_empty() {
            let event = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|error| panic!("no answer to {:?}: {error}", self.waiting));
            self.note(&event);
        }
    }

    /// Presses what `selector` finds.
    pub fn click(&mut self, selector: &str) {
        let selector = json!(selector);
        self.until(&format!("document.querySelector({selector})"));
        self.value(&format!("document.querySelector({selector}).click()"));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.try_close();
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

impl Browser {
    /// Asks the browser to end, so that its helpers end too.
    fn try_close(&mut self) -> std::io::Result<()> {
        let message = json!({ "id": 0, "method": "Browser.close" });
        write!(self.input, "{message}\0")?;
        while self.said.recv_timeout(Duration::from_secs(10)).is_ok() {}
        Ok(())
    }
}
