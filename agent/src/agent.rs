//! The agent of an enrolled host: what lives as long as the process does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use holdfast_client::{AgentClient, SetupError};
use holdfast_modules::host::Stop;
use holdfast_schemas::enrol::RenewRequest;
use jiff::Timestamp;

use crate::identity::{Enrolled, KeyError, Renewal, Request};
use crate::place::Place;
use crate::said::chain;
use crate::schedule::Interval;
use crate::sealing::OwnKey;
use crate::state::{StateDir, StateError};

/// Why an agent cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The host has no identity.
    #[error("this host is not enrolled: there is no identity in {}", .0.display())]
    NotEnrolled(std::path::PathBuf),
    /// The identity cannot be used.
    #[error("the identity of this host cannot be used")]
    Client(#[from] SetupError),
}

/// The agent of an enrolled host.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) state: StateDir,
    pub(crate) place: Place,
    pub(crate) enrolled: Enrolled,
    pub(crate) client: AgentClient,
    pub(crate) interval: Interval,
    pub(crate) stop: Arc<Stop>,
    pub(crate) executing: Executing,
}

/// Says while it lives that a catalog is being executed, which must not be broken off.
#[derive(Debug, Clone, Default)]
pub(crate) struct Executing(Arc<AtomicBool>);

impl Executing {
    /// Whether a catalog is being executed now.
    pub(crate) fn now(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn end(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Agent {
    /// The agent of the host that was enrolled into a state folder.
    pub(crate) fn new(
        state: StateDir,
        place: Place,
        interval: Interval,
    ) -> Result<Self, AgentError> {
        let enrolled = Enrolled::load(&state)?
            .ok_or_else(|| AgentError::NotEnrolled(state.path().to_owned()))?;
        state.prepare()?;
        let client = client(&enrolled)?;
        Ok(Self {
            state,
            place,
            enrolled,
            client,
            interval,
            stop: Arc::default(),
            executing: Executing::default(),
        })
    }

    /// Gets a new certificate when the present one comes to its end. That it cannot is told, and
    /// tried again at the next run.
    pub(crate) async fn renew_if_due(&mut self) {
        let urgency = match self.enrolled.renewal(Timestamp::now()) {
            // The server seals to a key that is gone, or to none.
            Renewal::NotDue if self.sealing_key_is_news() => Renewal::Due,
            urgency => urgency,
        };
        if urgency == Renewal::NotDue {
            return;
        }
        let expires = self.enrolled.identity.expires;
        match self.renew().await {
            Ok(()) => tracing::info!(
                identity.expires = %self.enrolled.identity.expires,
                "the certificate was renewed"
            ),
            Err(error) if urgency == Renewal::Late => tracing::error!(
                identity.expires = %expires,
                error = chain(&*error),
                "THE CERTIFICATE ENDS SOON and could not be renewed: after that this host has no \
                 server; enrol it again with a new token if this goes on"
            ),
            Err(error) => tracing::warn!(
                identity.expires = %expires,
                error = chain(&*error),
                "the certificate could not be renewed yet"
            ),
        }
    }

    /// Whether the server does not know the key that this host opens boxes with.
    fn sealing_key_is_news(&self) -> bool {
        let own = OwnKey::load(&self.state).ok().flatten();
        own.is_none_or(|own| self.enrolled.sealing_key != Some(own.public()))
    }

    async fn renew(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let request = Request::draw().map_err(|error: KeyError| Box::new(error))?;
        let sealing_key = OwnKey::of(&self.state)?.public();
        let asked = RenewRequest {
            csr: request.csr,
            sealing_key,
        };
        let identity = self.client.renew(&asked).await?;
        if identity.name != self.enrolled.identity.name {
            let told = format!("the server gave an identity for {}", identity.name);
            return Err(told.into());
        }
        let enrolled = Enrolled {
            server: self.enrolled.server.clone(),
            identity,
            key: request.key,
            since: Timestamp::now(),
            sealing_key: Some(sealing_key),
        };
        // Whatever cannot be used must not replace what can.
        let client = client(&enrolled)?;
        enrolled.save(&self.state)?;
        self.enrolled = enrolled;
        self.client = client;
        Ok(())
    }
}

fn client(enrolled: &Enrolled) -> Result<AgentClient, SetupError> {
    AgentClient::new(&enrolled.server, &enrolled.identity, &enrolled.key)
}
