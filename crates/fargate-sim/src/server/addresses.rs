//! Claims on ranges of loopback addresses, so that two simulators on one machine do not meet.

use std::net::{Ipv4Addr, TcpListener};

use crate::model::AddressBase;

/// A claim holds this port at the last address of each of its three ranges; no task is given that address.
const CLAIM_PORT: u16 = 47_777;

/// The right to a range, until it is dropped.
#[derive(Debug)]
pub struct AddressClaim {
    base: AddressBase,
    _held: Vec<TcpListener>,
}

impl AddressClaim {
    /// Claims the wanted range, or the first free one from 127.77 on.
    ///
    /// Errors: for people, names the range.
    pub fn take(wanted: Option<AddressBase>) -> Result<AddressClaim, String> {
        if let Some(base) = wanted {
            return claim(base).map_err(|error| {
                format!(
                    "--address-base {base} cannot be used, another fargate-sim probably does: {error}. Choose \
                     another one, 127.1 to 127.253, or `auto`"
                )
            });
        }
        let mut free = (77..=253)
            .chain(1..75)
            .step_by(3)
            .filter_map(AddressBase::new)
            .filter_map(|b| claim(b).ok());
        free.next().ok_or_else(|| {
            "no range of loopback addresses is free: fargate-sim needs Linux, where all of 127.0.0.0/8 answers".into()
        })
    }

    /// The range.
    pub fn base(&self) -> AddressBase {
        self.base
    }
}

fn claim(base: AddressBase) -> std::io::Result<AddressClaim> {
    let address = |range: u8| Ipv4Addr::new(127, base.second() + range, 255, 254);
    let held = (0..3).map(|range| TcpListener::bind((address(range), CLAIM_PORT)));
    Ok(AddressClaim {
        base,
        _held: held.collect::<std::io::Result<_>>()?,
    })
}
