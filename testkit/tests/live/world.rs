//! A server, a repo, a booted host, an enrolled agent, and how a step asks them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use holdfast_schemas::operator_api::{DriftEvent, HostSummary, ServerStatus, StoredReport};
use holdfast_schemas::report::{Change, Outcome, Report, ResourceReport};
use holdfast_testkit::live::{Host, Machine};
use holdfast_testkit::{Server, Site, free_port, program, wait_until};

use crate::web;

/// How long the server may take to take up a commit.
const TAKE_UP: Duration = Duration::from_secs(30);

/// How long nginx may take to answer: a restart is over before its workers listen.
const ANSWER: Duration = Duration::from_secs(10);

/// Everything that a step needs.
pub(crate) struct World {
    pub(crate) host: Host,
    pub(crate) port: u16,
    site: Site,
    server: Server,
}

impl World {
    /// Commits the site, starts the server, boots the host, enrols its agent.
    pub(crate) fn new(machine: &Machine) -> Self {
        let port = free_port().unwrap();
        let site = Site::new().unwrap();
        site.write("roles/web/role.yaml", web::ROLE).unwrap();
        site.write(web::TEMPLATE, &web::template("listen")).unwrap();
        site.write(web::HOST, &web::host_file(port, "hello"))
            .unwrap();
        let revision = site.commit("a web server").unwrap();

        let server = Server::start(site.path()).unwrap();
        let host = Host::boot(machine, "web").unwrap();
        let agent = program("holdfast-agent").unwrap();
        host.install(&agent, "/usr/local/bin/holdfast-agent")
            .unwrap();
        let world = Self {
            host,
            port,
            site,
            server,
        };
        world.wait_for(&revision);
        let token = world
            .server
            .ask(["token", "create", "--host", "web"])
            .unwrap();
        let (server, token) = (world.server.agents(), token.trim());
        let words = [
            "holdfast-agent",
            "enroll",
            "--name",
            "web",
            "--server",
            &server,
            "--token",
            token,
        ];
        world.host.succeed(words).unwrap();
        world
    }

    /// Commits one file that changes the host's catalog, and waits until the server has a new
    /// generation for it.
    pub(crate) fn commit(&self, message: &str, path: &str, text: &str) {
        let before = self.generation();
        self.site.write(path, text).unwrap();
        let revision = self.site.commit(message).unwrap();
        self.wait_for(&revision);
        let given = wait_until(TAKE_UP, || self.generation() > before);
        assert!(given, "{revision} is not given out:\n{}", self.server.log());
    }

    fn wait_for(&self, revision: &str) {
        let served = || {
            let status = self.server.ask(["status", "--json"]).unwrap();
            let status: ServerStatus = serde_json::from_str(&status).unwrap();
            assert!(status.refused.is_none(), "refused: {:#?}", status.refused);
            status.active.as_deref() == Some(revision)
        };
        let served = wait_until(TAKE_UP, served);
        assert!(served, "{revision} is not served:\n{}", self.server.log());
    }

    /// The generation that the server wants the host to have.
    fn generation(&self) -> u64 {
        let hosts = self.server.ask(["hosts", "--json"]).unwrap();
        let hosts: Vec<HostSummary> = serde_json::from_str(&hosts).unwrap();
        let web = hosts.iter().find(|host| host.name.as_str() == "web");
        web.map_or(0, |host| host.wants)
    }

    /// Runs the agent once; it must end with this exit code.
    pub(crate) fn run(&self, code: i32) -> Report {
        let answer = self
            .host
            .exec(["holdfast-agent", "once", "--json"])
            .unwrap();
        assert_eq!(
            answer.status.code(),
            Some(code),
            "{}\n{}",
            answer.stdout,
            answer.stderr
        );
        serde_json::from_str(&answer.stdout)
            .unwrap_or_else(|error| panic!("{error} in {}", answer.stdout))
    }

    /// What became of a resource in a run.
    pub(crate) fn outcome(run: &Report, id: &str) -> Outcome {
        Self::resource(run, id).outcome
    }

    /// The line of a resource in a report.
    pub(crate) fn resource<'a>(run: &'a Report, id: &str) -> &'a ResourceReport {
        let resource = run
            .resources
            .iter()
            .find(|resource| resource.id.to_string() == id);
        resource.unwrap_or_else(|| panic!("{id} is not in {run:#?}"))
    }

    /// The newest report, as the operator sees it.
    pub(crate) fn newest_report(&self) -> Report {
        let words = ["reports", "--host", "web", "--json"];
        let stored: Vec<StoredReport> =
            serde_json::from_str(&self.server.ask(words).unwrap()).unwrap();
        stored[0].report.clone()
    }

    /// What the operator sees of changes, newest first.
    pub(crate) fn drift(&self) -> Vec<DriftEvent> {
        let text = self
            .server
            .ask(["drift", "--json", "--limit", "1000"])
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The newest change of a resource.
    pub(crate) fn newest(&self, id: &str) -> DriftEvent {
        let events = self.drift();
        let event = events.iter().find(|event| event.resource.to_string() == id);
        event
            .unwrap_or_else(|| panic!("{id} is not in {events:#?}"))
            .clone()
    }

    /// One property of a change.
    pub(crate) fn change(event: &DriftEvent, property: &str) -> Change {
        let change = event
            .changes
            .iter()
            .find(|change| change.property == property);
        change
            .unwrap_or_else(|| panic!("no {property} in {event:#?}"))
            .clone()
    }

    /// What nginx answers.
    pub(crate) fn greeting(&self) -> String {
        let mut answer = String::new();
        let answered = wait_until(ANSWER, || {
            answer = self.ask_nginx().unwrap_or_default();
            !answer.is_empty()
        });
        assert!(answered, "nginx does not answer on port {}", self.port);
        answer
    }

    fn ask_nginx(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        match head.starts_with("HTTP/1.1 200") {
            true => Ok(body.to_owned()),
            false => Err(std::io::Error::other(head.to_owned())),
        }
    }
}
