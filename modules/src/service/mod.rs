//! Services of the init system. The one provider is systemd (`systemd.rs`); `unit.rs` reads what
//! it shows, `boot.rs` makes sense of what it says about enabling.
//!
//! A unit on its way from one state to another is given a moment to arrive before it is judged.
//! One that does not exist cannot be run or enabled, and is already stopped and disabled.

mod boot;
mod systemd;
#[cfg(test)]
mod tests;
mod unit;

use holdfast_schemas::resource::{OnRefresh, Service, ServiceState};

use crate::Shown;
use crate::host::{Facility, Host, HostError, Probe, Support};
use crate::module::{Module, Refreshed};
use boot::Boot;
use unit::{Unit, full_name, is_template};

/// What was found of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    unit: Unit,
    boot: Boot,
}

/// What is to be done about a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Have it start at boot.
    Enable,
    /// Have it not start at boot.
    Disable,
    /// Start it.
    Start,
    /// Stop it.
    Stop,
}

impl Module for Service {
    type Observed = Observed;
    type Difference = Difference;

    fn observe(&self, probe: &dyn Probe) -> Result<Observed, HostError> {
        if let Support::No(why) = probe.supports(Facility::Systemd) {
            return Err(HostError::Unsupported(why));
        }
        let unit = systemd::settled(&full_name(&self.name)?, probe, systemd::GLANCE)?;
        let boot = Boot::of(&unit, probe)?;
        Ok(Observed { unit, boot })
    }

    fn diff(&self, observed: &Observed) -> Result<Vec<Difference>, HostError> {
        let unit = &observed.unit;
        if self.state == Some(ServiceState::Running) && is_template(&unit.id) {
            return Err(refused(
                self,
                "it is a template; an instance, `name@instance`, can run",
            ));
        }
        let wants_it = self.enabled == Some(true) || self.state == Some(ServiceState::Running);
        match unit.load.as_str() {
            "not-found" if !unit.outdated && wants_it => {
                return Err(HostError::NoSuchUnit {
                    unit: full_name(&self.name)?,
                });
            }
            "not-found" if !wants_it => return Ok(vec![]),
            "masked" if wants_it => {
                return Err(refused(
                    self,
                    "it is masked; `systemctl unmask` releases it",
                ));
            }
            "error" | "bad-setting" => {
                return Err(refused(
                    self,
                    "systemd cannot load its unit file; `systemctl status` tells why",
                ));
            }
            _ => {}
        }
        let boot = self
            .enabled
            .map(|wanted| boot_difference(self, wanted, observed.boot, unit))
            .transpose()?;
        let state = self.state.and_then(|wanted| match wanted {
            ServiceState::Running => (!unit.runs()).then_some(Difference::Start),
            ServiceState::Stopped => (!unit.rests()).then_some(Difference::Stop),
        });
        Ok(boot.flatten().into_iter().chain(state).collect())
    }

    fn apply(
        &self,
        observed: &Observed,
        differences: &[Difference],
        host: &dyn Host,
    ) -> Result<(), HostError> {
        let unit = systemd::prepared(&full_name(&self.name)?, &observed.unit, host)?;
        for difference in differences {
            match difference {
                Difference::Enable => systemd::enable(&unit, host)?,
                Difference::Disable => systemd::disable(&unit, host)?,
                Difference::Start => systemd::start(&unit, host)?,
                Difference::Stop => systemd::stop(&unit, host)?,
            }
        }
        Ok(())
    }

    fn show(&self, observed: &Observed, differences: &[Difference]) -> Shown {
        let mut shown = Shown::default();
        let boot = || Some(observed.boot.word().to_owned());
        let state = || Some(observed.unit.state());
        for difference in differences {
            match difference {
                Difference::Enable => shown.push("enabled", boot(), Some("enabled".into())),
                Difference::Disable => shown.push("enabled", boot(), Some("disabled".into())),
                Difference::Start => shown.push("state", state(), Some("running".into())),
                Difference::Stop => shown.push("state", state(), Some("stopped".into())),
            }
        }
        shown
    }

    fn refresh(&self, host: &dyn Host) -> Result<Refreshed, HostError> {
        let observed = self.observe(host.as_probe())?;
        let wanted = match self.state {
            Some(ServiceState::Running) => true,
            Some(ServiceState::Stopped) => false,
            None => observed.unit.runs(),
        };
        if !wanted {
            return Ok(Refreshed::NothingToDo);
        }
        let unit = systemd::prepared(&full_name(&self.name)?, &observed.unit, host)?;
        match self.on_refresh {
            OnRefresh::Restart => systemd::restart(&unit, host)?,
            OnRefresh::Reload => systemd::reload(&unit, host)?,
        }
        Ok(Refreshed::Done)
    }
}

/// What is to be done about starting at boot.
fn boot_difference(
    service: &Service,
    wanted: bool,
    found: Boot,
    unit: &Unit,
) -> Result<Option<Difference>, HostError> {
    match (wanted, found) {
        (true, Boot::Cannot(_)) if unit.outdated => Ok(Some(Difference::Enable)),
        (true, Boot::Cannot(why)) => {
            let advice = "leave `enabled` out and let what needs it start it";
            Err(refused(
                service,
                format!("it cannot be enabled: {why}; {advice}"),
            ))
        }
        (true, Boot::Masked) => Err(refused(
            service,
            "it is masked; `systemctl unmask` releases it",
        )),
        (true, Boot::Enabled) => Ok(None),
        (true, Boot::Disabled | Boot::Partly) => Ok(Some(Difference::Enable)),
        (false, Boot::Enabled | Boot::Partly) => Ok(Some(Difference::Disable)),
        (false, Boot::Disabled | Boot::Masked | Boot::Cannot(_)) => Ok(None),
    }
}

fn refused(service: &Service, reason: impl Into<String>) -> HostError {
    HostError::refused(format!("service {}", service.name), reason)
}
