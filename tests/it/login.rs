//! The dashboard with a token, and behind a proxy, in a browser.

use super::browser::{self, Browser};
use super::dashboard::{DRAWN, WIDE, ask_for_job, long};
use super::serve::Server;
use super::*;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

const TOKEN: &str = "a-token-of-a-test";

/// A proxy that keeps a server below `/deephedge/`. Like nginx it names the server as the host, unless told otherwise.
struct Proxy {
    listener: TcpListener,
    /// Whether the server is sent paths without `/deephedge`.
    strips: bool,
}

impl Proxy {
    fn new(strips: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { listener, strips }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Passes requests on, for as long as the tests go on.
    fn pass_to(self, server: &str) {
        let server = server.to_owned();
        std::thread::spawn(move || {
            for client in self.listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                // Whoever goes away ends the connection.
                std::thread::spawn(move || drop(pass(client, &server, self.strips)));
            }
        });
    }
}

/// Passes one request on, and its answer back.
fn pass(mut client: TcpStream, server: &str, strips: bool) -> std::io::Result<()> {
    let mut sent = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if sent.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let (line, fields) = head.split_once("\r\n").unwrap();
    let (method, rest) = line.split_once(' ').unwrap();
    let Some(below) = rest.strip_prefix("/deephedge/") else {
        return write!(
            client,
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        );
    };
    let base = if strips { "/" } else { "/deephedge/" };
    let mut passed = format!("{method} {base}{below}\r\nhost: {server}\r\nconnection: close\r\n");
    for field in fields.lines() {
        let name = field.split(':').next().unwrap().to_lowercase();
        if !matches!(name.as_str(), "host" | "connection" | "") {
            passed.push_str(&format!("{field}\r\n"));
        }
    }
    let mut upstream = TcpStream::connect(server)?;
    write!(upstream, "{passed}x-forwarded-for: 192.0.2.1\r\n\r\n")?;
    let mut up = upstream.try_clone()?;
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = sent.read(&mut bytes) {
            if up.write_all(&bytes[..count]).is_err() {
                return;
            }
        }
    });
    std::io::copy(&mut upstream, &mut client)?;
    client.shutdown(std::net::Shutdown::Both)
}

/// Sends the form of the login page.
fn log_in(browser: &mut Browser, token: &str) {
    browser.until("document.querySelector('form input[name=token]')");
    browser.value(&format!(
        "document.querySelector('[name=token]').value = {}",
        json!(token)
    ));
    browser.click("main form button");
}

/// Forgets that the browser said in its console that a page came with 401.
fn forgive(browser: &mut Browser) {
    browser.problems.retain(|problem| !problem.contains("401"));
    assert_eq!(browser.problems, [""; 0]);
}

/// Who asks for a page is led to the login and back; a wrong token is told; nothing of the token stays in the browser;
/// who has logged out is led to the login again.
#[test]
fn people_log_in_with_a_token() {
    if !browser::is_here("the login") {
        return;
    }
    let runs = scratch().join("login");
    let server = Server::start_with(&runs, &[], TOKEN);
    // A name of this machine over HTTP, where browsers send Origin alone, and its address, where they say the site too.
    for host in ["quant.example", "127.0.0.1"] {
        let port = server.address.rsplit_once(':').unwrap().1;
        let home = format!("http://{host}:{port}/");
        let mut browser = Browser::open();
        browser.show(WIDE, "light");
        browser.visit(&format!("{home}jobs"));
        assert_eq!(browser.value("document.title"), "Log in - deephedge");
        log_in(&mut browser, "not-the-token-at-all");
        browser.until(
            "document.querySelector('main .message')?.textContent === 'This is not the token.'",
        );
        log_in(&mut browser, TOKEN);
        browser.until("document.querySelector('main h1')?.textContent === 'Jobs'");
        assert_eq!(browser.value("location.href"), format!("{home}jobs"));
        browser
            .until("document.querySelector('#jobs-state').textContent.startsWith('No jobs yet')");
        let kept =
            "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)";
        assert_eq!(browser.value(kept), "{}{}");
        browser.click("nav form button");
        browser.until("document.querySelector('main h1')?.textContent === 'Log in'");
        browser.visit(&home);
        assert_eq!(browser.value("location.pathname"), "/login");
        forgive(&mut browser);
    }
}

/// Through a proxy that keeps the server below another path, and takes that path away or leaves it, every page, chart,
/// stream and change works, and nothing is asked for beside that path.
#[test]
fn the_dashboard_works_behind_a_proxy() {
    if !browser::is_here("the dashboard behind a proxy") {
        return;
    }
    let path = strategy("proxied", SMALL);
    let compared = compare(&path, "2");
    let run = compared["run"].as_str().unwrap();
    for strips in [true, false] {
        let proxy = Proxy::new(strips);
        let port = proxy.port();
        let (home, server);
        let runs = path.with_extension("runs");
        if strips {
            // The server is told nothing of a proxy on this machine.
            home = format!("http://127.0.0.1:{port}/deephedge/");
            server = Server::start_with(&runs, &[], TOKEN);
        } else {
            home = format!("http://quant.example:{port}/deephedge/");
            server = Server::start_with(&runs, &["--public-url", &home], TOKEN);
        }
        proxy.pass_to(&server.address);
        let mut browser = Browser::open();
        // So high that every chart is in sight.
        browser.show((WIDE.0, 16_000), "light");
        browser.visit(&format!("{home}runs/{run}"));
        log_in(&mut browser, TOKEN);
        browser.until("document.querySelector('#labels')");
        assert_eq!(browser.value("location.href"), format!("{home}runs/{run}"));
        browser.until(DRAWN);
        browser.answered();
        let csv = browser.value(
            "(async () => {
                const run = document.querySelector('script[src$=\"run.js\"]').src;
                const { csv } = await import(run.replace('run.js', 'charts.js'));
                const axis = { title: { text: '=axis' } };
                const trace = { name: '@name, \"a\"', x: [-1.5, '-1.5'], y: ['-x', 2] };
                return csv({ title: '+', layout: { xaxis: axis, yaxis: axis }, data: [trace] });
            })()",
        );
        let name = "\"'@name, \"\"a\"\"\"";
        assert_eq!(
            csv,
            format!("series,'=axis,'=axis\n{name},-1.5,'-x\n{name},-1.5,2\n")
        );
        browser.click("#labels summary");
        browser.until("!document.querySelector('#labels form').hasAttribute('aria-busy')");
        browser.click("#labels form button");
        browser.until("document.querySelector('#labels [role=status]').textContent === 'Saved.'");
        browser.go(&format!("{home}runs/{run}/live"));
        browser.until("document.querySelector('#state').textContent.startsWith('Finished.')");
        browser.click("#state a");
        browser.until("document.querySelector('#labels') && !document.querySelector('#live')");

        browser.click("nav a[href$=jobs]");
        let job = ask_for_job(&mut browser, &long(10_000_000, 32), 1);
        browser.click(&format!("#jobs [data-run=\"{job}\"] a"));
        browser.until("document.querySelector('#loss_steps .plot')?.data[0].x.length >= 2");
        browser.click("#live .actions [aria-label^=Cancel]");
        browser.until("document.querySelector('#state').textContent === 'This job is cancelled.'");
        browser.click("#labels > summary");
        browser.click("#labels details summary");
        browser.click("#labels .delete");
        browser.until("document.querySelector('table.list tbody')");
        assert_eq!(browser.value("location.href"), home);
        browser.go(&format!("{home}nothing/at/all"));
        browser.click("main a");
        browser.until("document.querySelector('table.list tbody')");
        browser.click("nav form button");
        browser.until("document.querySelector('main h1')?.textContent === 'Log in'");

        browser.problems.retain(|problem| !problem.contains("404"));
        forgive(&mut browser);
        for url in &browser.requests {
            let is_inline = url.starts_with("data:") || url.starts_with("blob:");
            assert!(
                url.starts_with(&home) || is_inline || url == "about:blank",
                "{url}"
            );
        }
        let deleted = server.ask("GET", &format!("/api/v1/runs/{job}"), &Value::Null);
        assert_eq!(deleted["error"]["code"], "not_found");
    }
}
