//! Tokens and operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_schemas::Digest;

use super::Case;
use super::fixtures::{certificate, enrolled, enrolment, host, report, time, token};
use crate::{OperatorRecord, RedeemError, Revocation, Role, Store, TokenRefusal};

pub(super) const CASES: &[Case] = &[
    ("a token enrols once", once),
    ("of many that race with one token, one enrols", race),
    (
        "a token that is unknown, expired or for another host is refused",
        refused,
    ),
    ("an unbound token cannot claim a known name", taken),
    (
        "a bound token enrols a known host again and keeps its history",
        again,
    ),
    ("an operator is known by the digest of the token", operators),
];

fn refusal(store: &Arc<dyn Store>, secret: &str, name: &str, at: i64) -> TokenRefusal {
    let checked = store.check_token(&Digest::of(secret), &host(name), time(at));
    let redeemed = store.redeem(enrolment(secret, name, "x"), time(at));
    match (checked, redeemed) {
        (Err(RedeemError::Refused(checked)), Err(RedeemError::Refused(refused))) => {
            assert_eq!(checked, refused);
            refused
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn once(store: &Arc<dyn Store>) {
    store.put_token(token("s", None)).unwrap();
    store
        .check_token(&Digest::of("s"), &host("a"), time(1))
        .unwrap();
    let record = store.redeem(enrolment("s", "a", "1"), time(1)).unwrap();
    assert_eq!(record.certificates, [certificate("1")]);
    assert_eq!(store.host(&host("a")).unwrap(), Some(record));
    assert_eq!(refusal(store, "s", "a", 2), TokenRefusal::Used(host("a")));
    assert_eq!(refusal(store, "s", "b", 2), TokenRefusal::Used(host("a")));
    assert_eq!(store.host(&host("b")).unwrap(), None);
    let used = store
        .token(&Digest::of("s"))
        .unwrap()
        .unwrap()
        .used
        .unwrap();
    assert_eq!((used.host, used.at), (host("a"), time(1)));
}

fn race(store: &Arc<dyn Store>) {
    store.put_token(token("s", None)).unwrap();
    let won = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (store, won) = (store, &won);
            scope.spawn(move || {
                let enrolment = enrolment("s", &format!("host-{number}"), "1");
                if store.redeem(enrolment, time(1)).is_ok() {
                    won.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    assert_eq!(store.count_hosts().unwrap(), 1);
}

fn refused(store: &Arc<dyn Store>) {
    assert_eq!(refusal(store, "none", "a", 1), TokenRefusal::Unknown);
    store.put_token(token("s", Some("a"))).unwrap();
    assert_eq!(
        refusal(store, "s", "b", 1),
        TokenRefusal::WrongHost(host("b"))
    );
    assert_eq!(
        refusal(store, "s", "a", 3600),
        TokenRefusal::Expired(time(3600))
    );
    assert_eq!(store.count_hosts().unwrap(), 0);
    store.redeem(enrolment("s", "a", "1"), time(3599)).unwrap();
}

fn taken(store: &Arc<dyn Store>) {
    let before = enrolled(store, "a");
    store.put_token(token("s", None)).unwrap();
    assert_eq!(
        refusal(store, "s", "a", 1),
        TokenRefusal::NameTaken(host("a"))
    );
    assert_eq!(store.host(&host("a")).unwrap(), Some(before));
    store.redeem(enrolment("s", "b", "1"), time(1)).unwrap();
}

fn again(store: &Arc<dyn Store>) {
    enrolled(store, "a");
    store.append_report(report("a", 1, 10), time(2)).unwrap();
    let revoke = |record: &mut crate::HostRecord| {
        record.revoked = Some(Revocation {
            at: time(3),
            reason: "stolen".to_owned(),
        });
    };
    store.update_host(&host("a"), Box::new(revoke)).unwrap();
    store.put_token(token("s", Some("a"))).unwrap();
    let record = store.redeem(enrolment("s", "a", "2"), time(4)).unwrap();
    assert_eq!(record.certificates, [certificate("2")]);
    assert_eq!(record.revoked, None);
    assert_eq!(record.enrolled, time(4));
    assert!(record.reported.is_some());
}

fn operators(store: &Arc<dyn Store>) {
    let operator = |name: &str| OperatorRecord {
        name: name.to_owned(),
        role: Role::Admin,
        token: Digest::of(format!("token of {name}")),
        created: time(0),
    };
    let (ada, bob) = (operator("ada"), operator("bob"));
    store.put_operator(ada.clone()).unwrap();
    store.put_operator(bob.clone()).unwrap();
    assert_eq!(store.operator(&ada.token).unwrap(), Some(ada.clone()));
    assert_eq!(store.operator(&Digest::of("guess")).unwrap(), None);
    assert_eq!(store.operators().unwrap().len(), 2);
    store.remove_operator(&ada.token).unwrap();
    assert_eq!(store.operator(&ada.token).unwrap(), None);
    assert_eq!(store.operators().unwrap(), [bob]);
}
