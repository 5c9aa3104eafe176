//! apt-get, apt-cache and dpkg over a fake repository.

use std::collections::{BTreeMap, BTreeSet};

use super::dpkg_status::{self as status, Stanza};
use super::{ended, options};
use crate::host::Output;
use crate::host::fake::{Call, FakeProgram, Files};

/// A version of a package that a repository offers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offer {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Names it provides.
    pub provides: Vec<String>,
    /// Packages or names that must not be installed beside it.
    pub conflicts: Vec<String>,
    /// Packages it needs.
    pub depends: Vec<String>,
}

impl Offer {
    /// A package that needs and provides nothing.
    pub fn new(package: &str, version: &str) -> Self {
        Self {
            package: package.to_owned(),
            version: version.to_owned(),
            ..Self::default()
        }
    }
}

/// apt and dpkg of a fake host, and the repository it takes packages from.
#[derive(Debug, Default)]
pub struct Apt {
    /// What the repository offers, the best candidate of a package last.
    pub offers: Vec<Offer>,
    /// What `apt-get update` finds on top of that.
    pub published: Vec<Offer>,
    /// Packages whose maintainer script fails.
    pub failing: BTreeSet<String>,
    /// The process that holds dpkg's lock.
    pub lock_holder: Option<u32>,
    /// How many times apt-get changed the host.
    pub transactions: u32,
}

/// What a run of apt-get would do.
#[derive(Debug, Default)]
struct Steps {
    notes: String,
    install: BTreeMap<String, Offer>,
    remove: BTreeSet<String>,
}

impl FakeProgram for Apt {
    fn run(&mut self, call: &Call<'_>, files: &mut Files) -> Output {
        let words = &call.words[1..];
        match call.words[0].as_str() {
            "apt-cache" => self.policy(words, files),
            "dpkg" => self.configure(files),
            _ => self.get(words, files),
        }
    }
}

impl Apt {
    fn get(&mut self, words: &[String], files: &mut Files) -> Output {
        let (options, rest) = options(words, &["-o"]);
        let Some((&verb, names)) = rest.split_first() else {
            return error("Unknown command");
        };
        let simulated = options.contains(&"--simulate");
        if let Some(holder) = self.lock_holder.filter(|_| !simulated) {
            return error(&format!(
                "Could not get lock /var/lib/dpkg/lock-frontend. It is held by process {holder} (apt-get)\n\
                 N: Be aware that removing the lock file is not a solution and may break your system.\n\
                 E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
            ));
        }
        if verb == "update" {
            self.offers.append(&mut self.published);
            files.make_directory("/var/lib/apt/lists/partial");
            return ended(0, "Reading package lists...\n", "");
        }
        if status::interrupted(files) && !simulated {
            return error(
                "dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. ",
            );
        }
        let stanzas = status::read(files);
        let steps = match self.resolve(verb, names, &stanzas) {
            Ok(steps) => steps,
            Err(messages) => return ended(100, "Reading package lists...\n", messages),
        };
        if let Some(refusal) = refusal(&steps, &options, &stanzas) {
            return error(refusal);
        }
        match simulated {
            true => ended(0, told(&steps, verb), ""),
            false => self.carry_out(&steps, verb, stanzas, files),
        }
    }

    fn resolve(&self, verb: &str, words: &[&str], stanzas: &[Stanza]) -> Result<Steps, String> {
        let (mut steps, mut errors) = (Steps::default(), String::new());
        for word in words {
            let known = |name: &str| {
                self.best(name).is_some() || stanzas.iter().any(|stanza| stanza.package == name)
            };
            let outcome = match word.strip_suffix('-') {
                _ if verb == "purge" => self.remove(word, stanzas, &mut steps),
                Some(name) if !known(word) => self.remove(name, stanzas, &mut steps),
                _ => self.install(word, stanzas, &mut steps),
            };
            errors.extend(outcome.err().map(|message| format!("E: {message}\n")));
        }
        match errors.is_empty() {
            true => Ok(steps),
            false => Err(errors),
        }
    }

    fn install(&self, word: &str, stanzas: &[Stanza], steps: &mut Steps) -> Result<(), String> {
        let (name, version) = word
            .split_once('=')
            .map_or((word, None), |(n, v)| (n, Some(v)));
        let offer = match version {
            Some(version) => {
                let exact = |offer: &&Offer| offer.package == name && offer.version == version;
                let found = self.offers.iter().find(exact);
                found.ok_or_else(|| format!("Version '{version}' for '{name}' was not found"))?
            }
            None => match self.best(name) {
                Some(offer) => offer,
                None => self.stand_in(name, steps)?,
            },
        };
        let same = |stanza: &&Stanza| stanza.package == offer.package && stanza.installed();
        if stanzas
            .iter()
            .find(same)
            .is_some_and(|stanza| stanza.version == offer.version)
        {
            steps.notes += &format!(
                "{} is already the newest version ({}).\n",
                offer.package, offer.version
            );
            return Ok(());
        }
        steps.install.insert(offer.package.clone(), offer.clone());
        for stanza in stanzas
            .iter()
            .filter(|stanza| stanza.installed() && stanza.package != offer.package)
        {
            let names = stanza.provides.iter().chain([&stanza.package]);
            if names.into_iter().any(|name| offer.conflicts.contains(name)) {
                self.remove(&stanza.package, stanzas, steps)?;
            }
        }
        for needed in &offer.depends {
            if !stanzas
                .iter()
                .any(|stanza| stanza.package == *needed && stanza.installed())
            {
                self.install(needed, stanzas, steps)?;
            }
        }
        Ok(())
    }

    /// What apt takes for a name that no package has: the provider, or what a pattern matches.
    fn stand_in(&self, name: &str, steps: &mut Steps) -> Result<&Offer, String> {
        let provides = |offer: &&Offer| offer.provides.iter().any(|provided| provided == name);
        let providers: Vec<&Offer> = self.offers.iter().filter(provides).collect();
        match providers[..] {
            [provider] => {
                steps.notes += &format!(
                    "Note, selecting '{}' instead of '{name}'\n",
                    provider.package
                );
                return Ok(provider);
            }
            [] => {}
            _ => return Err(format!("Package '{name}' has no installation candidate")),
        }
        let matches = |offer: &&Offer| {
            let pairs = || offer.package.chars().zip(name.chars());
            offer.package.len() == name.len()
                && pairs().all(|(is, asked)| asked == '.' || is == asked)
        };
        let matched = self.offers.iter().find(matches);
        let matched = matched.ok_or_else(|| format!("Unable to locate package {name}"))?;
        steps.notes += &format!("Note, selecting '{}' for regex '{name}'\n", matched.package);
        Ok(matched)
    }

    fn remove(&self, name: &str, stanzas: &[Stanza], steps: &mut Steps) -> Result<(), String> {
        let Some(stanza) = stanzas.iter().find(|stanza| stanza.package == name) else {
            steps.notes += &format!("Package '{name}' is not installed, so not removed\n");
            return Ok(());
        };
        if steps.remove.insert(stanza.package.clone()) {
            let needs =
                |other: &&Stanza| other.installed() && other.depends.iter().any(|on| on == name);
            for other in stanzas.iter().filter(needs) {
                self.remove(&other.package, stanzas, steps)?;
            }
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        steps: &Steps,
        verb: &str,
        mut stanzas: Vec<Stanza>,
        files: &mut Files,
    ) -> Output {
        self.transactions += 1;
        for stanza in &mut stanzas {
            if steps.remove.contains(&stanza.package) {
                stanza.status = "deinstall ok config-files".to_owned();
            }
        }
        if verb == "purge" {
            stanzas.retain(|stanza| !steps.remove.contains(&stanza.package));
        }
        let mut failed = false;
        for offer in steps.install.values() {
            let fails = self.failing.contains(&offer.package);
            failed |= fails;
            stanzas.retain(|stanza| stanza.package != offer.package);
            stanzas.push(Stanza {
                package: offer.package.clone(),
                status: format!(
                    "install ok {}",
                    if fails {
                        "half-configured"
                    } else {
                        "installed"
                    }
                ),
                architecture: "amd64".to_owned(),
                version: offer.version.clone(),
                provides: offer.provides.clone(),
                depends: offer.depends.clone(),
            });
        }
        status::write(&stanzas, files);
        match failed {
            true => error("Sub-process /usr/bin/dpkg returned an error code (1)"),
            false => ended(0, told(steps, verb), ""),
        }
    }

    fn configure(&mut self, files: &mut Files) -> Output {
        let mut stanzas = status::read(files);
        for stanza in &mut stanzas {
            let half = ["unpacked", "half-configured"]
                .iter()
                .any(|how| stanza.status.ends_with(how));
            if half && !self.failing.contains(&stanza.package) {
                stanza.status = "install ok installed".to_owned();
            }
        }
        status::write(&stanzas, files);
        ended(0, "", "")
    }

    fn policy(&self, words: &[String], files: &Files) -> Output {
        let (_, rest) = options(words, &[]);
        let stanzas = status::read(files);
        let mut text = String::new();
        for name in rest.iter().skip(1) {
            let installed = stanzas
                .iter()
                .find(|stanza| stanza.package == **name && stanza.installed());
            let installed = installed.map(|stanza| stanza.version.as_str());
            let provided = self
                .offers
                .iter()
                .any(|offer| offer.provides.iter().any(|p| p == name));
            let candidate = self
                .best(name)
                .map(|offer| offer.version.as_str())
                .or(installed);
            if candidate.is_some() || provided {
                let shown = |version: Option<&str>| version.unwrap_or("(none)").to_owned();
                text += &format!(
                    "{name}:\n  Installed: {}\n  Candidate: {}\n  Version table:\n",
                    shown(installed),
                    shown(candidate)
                );
            }
        }
        ended(0, text, "")
    }

    fn best(&self, name: &str) -> Option<&Offer> {
        self.offers.iter().rfind(|offer| offer.package == name)
    }
}

/// What apt refuses without a switch that allows it.
fn refusal(steps: &Steps, options: &[&str], stanzas: &[Stanza]) -> Option<&'static str> {
    let installed = |name: &str| {
        stanzas
            .iter()
            .find(|stanza| stanza.package == name && stanza.installed())
    };
    let lower = |offer: &Offer| {
        let version = |text: &str| text.parse::<debversion::Version>().ok();
        installed(&offer.package)
            .is_some_and(|stanza| version(&stanza.version) > version(&offer.version))
    };
    let touched = steps.install.keys().chain(&steps.remove);
    if touched
        .into_iter()
        .filter_map(|name| installed(name))
        .any(Stanza::held)
    {
        return Some(
            "Held packages were changed and -y was used without --allow-change-held-packages.",
        );
    }
    if steps.install.values().any(lower) && !options.contains(&"--allow-downgrades") {
        return Some("Packages were downgraded and -y was used without --allow-downgrades.");
    }
    let removes = !steps.remove.is_empty() && options.contains(&"--no-remove");
    removes.then_some("Packages need to be removed but remove is disabled.")
}

fn told(steps: &Steps, verb: &str) -> String {
    let word = if verb == "purge" { "Purg" } else { "Remv" };
    let removed = steps
        .remove
        .iter()
        .map(|name| format!("{word} {name} [1]\n"));
    let line = |word: &str, offer: &Offer| {
        format!(
            "{word} {} ({} Debian:12.15/oldstable [amd64])\n",
            offer.package, offer.version
        )
    };
    let installed = steps.install.values().map(|offer| line("Inst", offer));
    let configured = steps.install.values().map(|offer| line("Conf", offer));
    let lines: String = removed.chain(installed).chain(configured).collect();
    format!(
        "Reading package lists...\nBuilding dependency tree...\n{}{lines}",
        steps.notes
    )
}

fn error(message: &str) -> Output {
    ended(100, "Reading package lists...\n", format!("E: {message}\n"))
}
