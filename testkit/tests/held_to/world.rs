//! A repo with two hosts, the server that serves it, and what an operator sees of it.

use std::time::Duration;

use holdfast_schemas::operator_api::{DriftEvent, HostSummary, ServerStatus};
use holdfast_schemas::report::Report;
use holdfast_testkit::{Agent, Ran, Server, Site, wait_until};

/// Far longer than anything here takes on a busy machine; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The host's own file of the host `web`.
pub(crate) const HOST: &str = "hosts/web.yaml";

/// The role of both hosts.
pub(crate) const ROLE: &str = "roles/base/role.yaml";

/// Its template.
pub(crate) const TEMPLATE: &str = "roles/base/templates/app.conf.j2";

/// Content that is too long to stand in a catalog, so that it is a blob.
pub(crate) const LOGO: &str = "roles/base/files/logo";

/// The role, as it should be.
pub(crate) const GOOD_ROLE: &str = r#"params:
  greeting: { type: string }
  port: { type: integer, minimum: 1, maximum: 65535, default: 80 }
resources:
  - file: /etc/motd
    content: "say {{ params.greeting }}\n"
    mode: "0644"
  - file: /etc/app.conf
    template: app.conf.j2
    mode: "0644"
  - file: /etc/logo
    source: logo
    mode: "0644"
"#;

/// The template, as it should be.
pub(crate) const GOOD_TEMPLATE: &str = "listen {{ params.port }}\n";

/// The repo and its server.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) server: Server,
}

/// The file of a host that greets.
pub(crate) fn host(greeting: &str) -> String {
    format!("roles: [base]\nvars:\n  base: {{ greeting: {greeting} }}\n")
}

/// The content of the blob.
pub(crate) fn logo(letter: &str) -> String {
    letter.repeat(600_000)
}

/// A repo with the hosts `web` and `db`, committed; and the commit.
pub(crate) fn site() -> (Site, String) {
    let site = Site::new().unwrap();
    site.write(ROLE, GOOD_ROLE).unwrap();
    site.write(TEMPLATE, GOOD_TEMPLATE).unwrap();
    site.write(LOGO, &logo("a")).unwrap();
    site.write(HOST, &host("hello")).unwrap();
    site.write("hosts/db.yaml", &host("data")).unwrap();
    let revision = site.commit("two hosts").unwrap();
    (site, revision)
}

impl World {
    /// A server that serves the repo.
    pub(crate) fn new() -> Self {
        let (site, revision) = site();
        let server = Server::start(site.path()).unwrap();
        let world = Self { site, server };
        world.wait_until_served(&revision);
        world
    }

    /// The host `web`, enrolled and brought to the first catalog.
    pub(crate) fn web(&self) -> Agent {
        let web = Agent::enrolled(&self.server, "web").unwrap();
        let first = web.once(&["--json"]).unwrap();
        assert_eq!(first.code, Some(2), "{}", first.stderr);
        assert_eq!(web.read("/etc/motd").unwrap(), "say hello\n");
        assert_eq!(web.read("/etc/logo").unwrap(), logo("a"));
        web
    }

    /// Commits files; the commit.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, text) in files {
            self.site.write(path, text).unwrap();
        }
        self.site.commit("a change").unwrap()
    }

    /// Commits another greeting for `web`, and waits until it is what `web` is to have.
    pub(crate) fn greet(&self, greeting: &str) -> u64 {
        let before = self.wanted("web");
        let revision = self.commit(&[(HOST, &host(greeting))]);
        self.wait_until_served(&revision);
        self.wait_until(&format!("{greeting} for web"), || {
            self.wanted("web") > before
        });
        self.wanted("web")
    }

    pub(crate) fn wait_until_served(&self, revision: &str) {
        self.wait_until(&format!("{revision} is served"), || {
            let status = self.status();
            let refused = status
                .refused
                .filter(|refused| refused.revision == revision);
            assert!(refused.is_none(), "refused: {refused:#?}");
            status.active.as_deref() == Some(revision)
        });
    }

    /// Waits for a state of the server; its log tells why it did not come.
    pub(crate) fn wait_until(&self, what: &str, holds: impl FnMut() -> bool) {
        let came = wait_until(PATIENCE, holds);
        assert!(came, "{what}: not so:\n{}", self.server.log());
    }

    pub(crate) fn status(&self) -> ServerStatus {
        let status = self.server.ask(["status", "--json"]).unwrap();
        serde_json::from_str(&status).unwrap()
    }

    /// The generation that a host is to have.
    pub(crate) fn wanted(&self, name: &str) -> u64 {
        self.host(name).wants
    }

    pub(crate) fn host(&self, name: &str) -> HostSummary {
        let hosts = self.server.ask(["hosts", "--json"]).unwrap();
        let hosts: Vec<HostSummary> = serde_json::from_str(&hosts).unwrap();
        let host = hosts.into_iter().find(|host| host.name.as_str() == name);
        host.unwrap_or_else(|| panic!("{name} is not listed"))
    }

    /// What changed on hosts, newest first.
    pub(crate) fn drift(&self) -> Vec<DriftEvent> {
        let text = self.server.ask(["drift", "--json"]).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// The report that `--json` printed.
pub(crate) fn report(ran: &Ran) -> Report {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in {ran:?}"))
}

/// Runs a host once and expects that nothing is to be done.
pub(crate) fn expect_in_sync(host: &Agent) {
    let ran = host.once(&["--json"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}
